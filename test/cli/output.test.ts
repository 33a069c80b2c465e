import { once } from 'node:events'
import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { nanocatWith } from './in-process.js'
import { refusal, scripted } from './scripted-socket.js'

const pull = ['--pull', '-L1', '-A']

/** A stdout whose reader takes one piece each time it is told to. */
function slowReader() {
  const taken: string[] = []
  let take: (() => void) | undefined
  const stdout = new Writable({
    highWaterMark: 1,
    write(chunk, _encoding, done) {
      take = () => {
        taken.push(chunk.toString())
        done()
      }
      stdout.emit('piece')
    },
  })
  return { stdout, taken, take: () => take?.() }
}

/** A stdout that refuses what is written. */
const failing = (code: string) => new Writable({ write: (_chunk, _encoding, done) => done(refusal(code)) })

test('a slow reader of stdout keeps us from receiving more', async () => {
  const reader = slowReader()
  const { sockets, calls } = scripted({ receive: ['one', 'two', refusal('ETIMEDOUT')] })
  const ended = nanocatWith({ sockets, stdout: reader.stdout }, ...pull)

  await once(reader.stdout, 'piece')
  expect(calls.filter((call) => call === 'receive')).toHaveLength(1)
  reader.take()
  await once(reader.stdout, 'piece')
  expect(calls.filter((call) => call === 'receive')).toHaveLength(2)
  reader.take()

  // The last thing written is empty: it tells when all before it has left.
  reader.stdout.on('piece', reader.take)
  expect((await ended).exitCode).toBe(0)
  expect(reader.taken.join('')).toBe('one\ntwo\n')
})

test('when stdout is not read any more, we end quietly with the status of SIGPIPE', async () => {
  const { sockets, calls } = scripted({ receive: ['one'] })
  const { exitCode, stderr } = await nanocatWith({ sockets, stdout: failing('EPIPE') }, ...pull)
  expect({ exitCode, stderr }).toEqual({ exitCode: 141, stderr: '' })
  expect(calls.at(-1)).toBe('close')
})

test('a full disk is reported, with status 3', async () => {
  const { sockets } = scripted({ receive: ['one'] })
  const { exitCode, stderr } = await nanocatWith({ sockets, stdout: failing('ENOSPC') }, ...pull)
  expect({ exitCode, stderr }).toEqual({ exitCode: 3, stderr: "Can't write: No space left on device\n" })
})

test.each(['--help', '--version'])('a full disk behind %s is reported, too', async (question) => {
  const { exitCode, stderr } = await nanocatWith({ stdout: failing('ENOSPC') }, question)
  expect({ exitCode, stderr }).toEqual({ exitCode: 3, stderr: "Can't write: No space left on device\n" })
})

test.each([
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s ends a wait for messages with status %d, and closes the socket', async (signal, status) => {
  const { sockets, calls } = scripted({ receive: ['one'] })
  const onInterruption = (interrupt: (signal: 'SIGHUP' | 'SIGINT' | 'SIGTERM') => void) =>
    setImmediate(() => setImmediate(() => interrupt(signal)))
  const { exitCode, stdout, stderr } = await nanocatWith({ sockets, onInterruption }, ...pull)
  expect({ exitCode, stdout: stdout.toString(), stderr }).toEqual({ exitCode: status, stdout: 'one\n', stderr: '' })
  expect(calls.at(-1)).toBe('close')
})

test('a signal ends the wait for a reader that reads no more', async () => {
  const reader = slowReader()
  const { sockets } = scripted({ receive: ['one'] })
  const onInterruption = (interrupt: (signal: 'SIGINT') => void) =>
    reader.stdout.once('piece', () => interrupt('SIGINT'))
  const { exitCode } = await nanocatWith({ sockets, stdout: reader.stdout, onInterruption }, ...pull)
  expect(exitCode).toBe(130)
})

test('a signal ends a delay', async () => {
  const { sockets } = scripted()
  const onInterruption = (interrupt: (signal: 'SIGINT') => void) => setImmediate(() => interrupt('SIGINT'))
  const { exitCode } = await nanocatWith({ sockets, onInterruption }, ...pull, '-d', '1000')
  expect(exitCode).toBe(130)
})
