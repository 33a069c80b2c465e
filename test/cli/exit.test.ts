// How programs end: messages are delivered first, and the reader of a pipe may leave early.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Push, Req } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { until } from '../api/support.js'
import { nanocatWith } from './in-process.js'
import { describeWithOriginal, fileOf, original, ours, temporaryFolder } from './programs.js'
import { scripted } from './scripted-socket.js'

describe('a signal', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s ends it when what it has sent is delivered',
    async (signal) => {
      using folder = temporaryFolder()
      const file = join(folder.path, 'large')
      const body = Buffer.alloc(1_000_000, 'x')
      writeFileSync(file, body)
      await using rep = ours('--rep', '-F', file, '-A', '-v', '-X', `${folder.path}/socket`)
      await using req = new Req()
      req.connect(await rep.listening())
      await req.send('question')
      // The answer follows at once, and is more than the kernel takes at a time.
      await rep.until(({ stdout }) => stdout.includes('question\n'))
      rep.kill(signal)
      expect((await req.receive()).equals(body)).toBe(true)
      expect(await rep.ended).toMatchObject({ exitCode: null, signal })
    },
  )

  test('shortens the time that a sender lingers', async () => {
    const { sockets, calls } = scripted()
    class Lingering extends (sockets.Push as new () => object) {
      // A peer that takes nothing.
      close(options: { linger: number }) {
        calls.push(`close ${options.linger}`)
        return new Promise(() => {})
      }
    }
    const onInterruption = (interrupt: (signal: 'SIGINT') => void) =>
      void until(() => calls.includes('close 60000')).then(() => interrupt('SIGINT'))
    const started = performance.now()
    const { exitCode } = await nanocatWith({ sockets: { Push: Lingering }, onInterruption }, '--push', '-L1', '-Dx')
    expect(exitCode).toBe(130)
    expect(performance.now() - started).toBeGreaterThan(1000)
  })
})

describe('a reader that leaves', () => {
  /** Everything that a shell shows of a pipe: its lines, and the statuses of its parts. */
  async function throughHead(...command: string[]) {
    await using push = new Push()
    const { address } = push.bind('tcp://127.0.0.1:0')
    const words = [...command, '--pull', '--connect', address, '-A']
    const shell = spawn('bash', ['-c', `"$@" | head -n 2; echo "\${PIPESTATUS[@]}"`, 'bash', ...words])
    const output: Buffer[] = []
    const errors: Buffer[] = []
    shell.stdout.on('data', (chunk) => output.push(chunk))
    shell.stderr.on('data', (chunk) => errors.push(chunk))
    const sending = (async () => {
      for (
        let index = 1;
        await push.send(`line ${index}`, { timeout: 20_000 }).then(
          () => true,
          () => false,
        );
        index++
      ) {
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    })()
    await once(shell, 'close')
    await push.close()
    await sending
    return { output: Buffer.concat(output).toString(), errors: Buffer.concat(errors).toString() }
  }

  test('ends it quietly, with the status of SIGPIPE', async () => {
    expect(await throughHead(process.execPath, fileOf())).toEqual({ output: 'line 1\nline 2\n141 0\n', errors: '' })
  })

  describeWithOriginal('as the original', () => {
    test('does', async () => {
      expect(await throughHead(original!)).toEqual({ output: 'line 1\nline 2\n141 0\n', errors: '' })
    })
  })

  test.each([['--help'], ['help'], ['completion bash']])('of %s ends it quietly', (args) => {
    const command = `"$0" "$1" ${args} | true; echo "\${PIPESTATUS[0]}"`
    const { stdout, stderr } = spawnSync('bash', ['-c', command, process.execPath, fileOf()], { encoding: 'utf8' })
    // It may have written all before the reader is gone.
    expect(stdout).toMatch(/^(0|141)\n$/)
    expect(stderr).toBe('')
  })
})
