// A tool of scripts is started often: it loads what it needs and nothing else.
import { Pull } from 'nanomsg-native'
import { expect, test } from 'vitest'
import { fileOf, Program } from './programs.js'

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
  expect(loaded.filter((file) => /sockets\/\w+\.js/.test(file) && !file.endsWith('/push.js'))).toEqual([])
  expect(loaded.filter((file) => /msgpack|hints|observer|cli\/events|commands\/(?!names)|lines/.test(file))).toEqual([])
})
