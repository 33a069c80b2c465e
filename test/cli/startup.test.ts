// A tool of scripts is started often: with a message to send it takes at most twice as long as Node.js alone.
import { spawnSync } from 'node:child_process'
import { Pull } from 'nanomsg-native'
import { expect, test } from 'vitest'
import { fileOf, ours, Program, temporaryFolder } from './programs.js'

const ROUNDS = 12

function millisecondsOf(args: string[]): number {
  const started = performance.now()
  const { status } = spawnSync(process.execPath, args, { stdio: 'ignore', timeout: 10_000 })
  expect(status).toBe(0)
  return performance.now() - started
}

test('to load it and send one message takes at most twice the time of an empty program', {
  timeout: 60_000,
}, async () => {
  using folder = temporaryFolder()
  const address = `ipc://${folder.path}/socket`
  await using pull = ours('--pull', '-v', '--bind', address)
  await pull.listening()
  const send = [fileOf(), '--push', '-Dx', '--connect', address]
  const alone: number[] = []
  const sending: number[] = []
  // In turn, so that whatever else the machine does slows down both; the best of each is what it takes by itself.
  for (let round = 0; round < ROUNDS; round++) {
    alone.push(millisecondsOf(['-e', '0']))
    sending.push(millisecondsOf(send))
  }
  const ratio = Math.min(...sending) / Math.min(...alone)
  console.log(`node -e 0: ${Math.min(...alone).toFixed(1)} ms; one message: ${ratio.toFixed(2)} times as long`)
  expect(ratio).toBeLessThanOrEqual(2)
})

test('what one message does not need is not loaded', async () => {
  await using pull = new Pull()
  const { address } = pull.bind('tcp://127.0.0.1:0')
  const program = `
    process.on('exit', () => console.log(JSON.stringify(Object.keys(require.cache))))
    process.argv.splice(1, 1, ${JSON.stringify(fileOf())})
    require(process.argv[1])`
  const args = ['-e', program, 'main', '--push', '-Dx', '--connect', address]
  await using running = new Program([process.execPath], args)
  expect(String(await pull.receive())).toBe('x')
  const { stdout } = await running.ended
  const loaded = JSON.parse(stdout.toString()) as string[]
  expect(loaded).toContain(fileOf())
  expect(loaded.filter((file) => /msgpack|advice|observer|commands\/(?!names)|lines/.test(file))).toEqual([])
})
