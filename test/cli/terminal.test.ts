// What only terminals show.
import { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { statusText } from '../../lib/cli/observer.js'
import { StatusLine } from '../../lib/cli/terminal.js'
import { nanocatWith } from './in-process.js'
import { noCounts, refusal, scripted } from './scripted-socket.js'

/** A terminal; it tells when something is written to it. */
function terminal({ hasColors = true, columns = 80 } = {}) {
  let text = ''
  const stream = Object.assign(
    new Writable({
      write(chunk, _encoding, done) {
        text += chunk
        done()
        stream.emit('text')
      },
    }),
    { isTTY: true, columns, hasColors: () => hasColors },
  )
  const until = (part: string) =>
    new Promise<void>((resolve) => {
      const look = () => text.includes(part) && resolve()
      stream.on('text', look)
      look()
    })
  return { stream, until, text: () => text }
}

const timedOut = refusal('ETIMEDOUT')

describe('bytes that a terminal acts on', () => {
  const warning =
    'Warning: a message has bytes that this terminal acts on. Use --quoted or --hex, or redirect the output.\n'
  const csi = '\x1b[2J'

  test.each([
    ['an escape sequence', csi],
    ['DEL', 'a\x7f'],
    ['a C1 control', 'a\u009b2J'],
    ['bytes that are no UTF-8', Buffer.from('9b324a', 'hex')],
    ['text that turns round', 'a\u202eb'],
  ])('are warned of once before --raw prints them: %s', async (_, message) => {
    const stdout = terminal()
    const { sockets } = scripted({ receive: ['plain\n', message, message, timedOut] })
    const { stderr } = await nanocatWith({ sockets, stdout: stdout.stream }, '--pull', '-L1', '--raw')
    expect(stderr).toBe(warning)
    expect(stdout.text()).toContain('plain\n')
  })

  test.each([['--raw'], ['--quoted'], ['--json']])('are not warned of where there are none: %s', async (format) => {
    const { sockets } = scripted({ receive: [format === '--raw' ? 'gr\u00fc\u00df\tdich\r\n' : csi, timedOut] })
    const { stderr } = await nanocatWith({ sockets, stdout: terminal().stream }, '--pull', '-L1', format)
    expect(stderr).toBe('')
  })

  test('are not warned of where stdout is no terminal', async () => {
    const { sockets } = scripted({ receive: [csi, timedOut] })
    expect((await nanocatWith({ sockets }, '--pull', '-L1', '--raw')).stderr).toBe('')
  })
})

describe('--stats', () => {
  test('shows rates and peers in the last line of a terminal, above which messages go by', async () => {
    const stderr = terminal()
    const counts = { ...noCounts, messagesReceived: 0, bytesReceived: 0, currentConnections: 3 }
    const { sockets } = scripted({ receive: ['one'], counts: () => ({ ...counts }) })
    let interrupt: ((signal: 'SIGINT') => void) | undefined
    const onInterruption = (call: typeof interrupt) => {
      interrupt = call
    }
    const ended = nanocatWith({ sockets, stderr: stderr.stream, onInterruption }, '--pull', '-L1', '--stats')
    await stderr.until('\r\x1b[Kin 0 messages/s, 0.00 MB/s | 3 peers')
    counts.messagesReceived = 1000
    await stderr.until('MB/s | 3 peers\r\x1b[Kin ')
    interrupt!('SIGINT')
    await ended
    expect(stderr.text().endsWith(' | 3 peers\n')).toBe(true)
  })

  test('shows nothing where stderr is no terminal', async () => {
    const { sockets } = scripted({ receive: ['one', timedOut] })
    expect((await nanocatWith({ sockets }, '--pull', '-L1', '--stats')).stderr).toBe('')
  })

  test('counts what goes in and out in a second', () => {
    const before = { ...noCounts, messagesSent: 10, bytesSent: 1e6 }
    const now = { ...before, messagesSent: 2510, bytesSent: 3.5e6, messagesReceived: 5, currentConnections: 1 }
    expect(statusText(before, now, 0.5)).toBe('out 5,000 messages/s, 5.00 MB/s | in 10 messages/s, 0.00 MB/s | 1 peer')
    expect(statusText(before, { ...before }, 1)).toBe('out 0 messages/s, 0.00 MB/s | 0 peers')
  })

  test('keeps to the width of the terminal, and makes room for other text', () => {
    const { stream, text } = terminal({ columns: 6 })
    const line = new StatusLine(stream)
    line.show('abcdefgh')
    line.show('abcdefgh')
    line.hide()
    line.hide()
    expect(text()).toBe('\r\x1b[Kabcde\r\x1b[K')
  })
})

describe('colours', () => {
  const wrong = ['--pull', '--bind', 'tcp://127.0.0.1']

  test('mark an error on a terminal that has them', async () => {
    const { stream, text } = terminal()
    const { sockets } = scripted({ refuse: { bind: refusal('EINVAL') } })
    await nanocatWith({ sockets, stderr: stream }, ...wrong)
    expect(text().startsWith("\x1b[31mCan't bind: Invalid argument\x1b[39m\ntcp address has no port: ")).toBe(true)
  })

  test.each([
    ['a terminal without', terminal({ hasColors: false })],
    ['something else', undefined],
  ])('do not appear on %s', async (_, stderr) => {
    const { sockets } = scripted({ refuse: { bind: refusal('EINVAL') } })
    const result = await nanocatWith({ sockets, stderr: stderr?.stream }, ...wrong)
    expect(stderr?.text() ?? result.stderr).toMatch(/^Can't bind: Invalid argument\ntcp address has no port: /)
  })
})
