// What is sent, and how much: --lines, --count.
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { nanocatWith } from './in-process.js'
import { refusal, type Script, scripted } from './scripted-socket.js'

const timedOut = refusal('ETIMEDOUT')
const wrongState = refusal('EFSM')

async function follow(script: Script, stdin: Uint8Array | string | PassThrough, ...args: string[]) {
  const { sockets, calls } = scripted(script)
  const { exitCode, stdout, stderr } = await nanocatWith({ sockets, stdin }, ...args)
  const sent = calls.flatMap((call) => (call.startsWith('send ') ? [JSON.parse(call.slice(5))] : []))
  return { exitCode, stdout: stdout.toString(), stderr, calls, sent }
}

/** A stdin that comes in these pieces. */
function inPieces(...pieces: string[]): PassThrough {
  const stream = new PassThrough()
  for (const piece of pieces) stream.write(piece)
  return stream.end()
}

describe('--lines', () => {
  test.each(['push', 'pub'])('with --%s sends each line as a message, and ends', async (type) => {
    const { exitCode, sent, calls } = await follow({}, 'one\n\nthree\r\nfour', `--${type}`, '-L1', '--lines')
    expect(exitCode).toBe(0)
    expect(sent).toEqual(['one', '', 'three\r', 'four'])
    expect(calls.at(-1)).toBe('close {"linger":60000}')
  })

  test('knows lines wherever the pieces of stdin end', async () => {
    const { sent } = await follow({}, inPieces('o', 'ne\ntw', 'o\n', '\nthr', 'e', 'e\n'), '--push', '-L1', '--lines')
    expect(sent).toEqual(['one', 'two', '', 'three'])
  })

  test('sends nothing when there are no lines', async () => {
    expect(await follow({}, '', '--push', '-L1', '--lines')).toMatchObject({ exitCode: 0, sent: [] })
  })

  test('sends bytes that are no text as they are', async () => {
    const bodies: Buffer[] = []
    const { sockets } = scripted()
    const Push = sockets.Push as new () => { send(body: Uint8Array): Promise<void> }
    class Collecting extends Push {
      override async send(body: Uint8Array) {
        bodies.push(Buffer.from(body))
      }
    }
    await nanocatWith(
      { sockets: { Push: Collecting }, stdin: Buffer.from('ff0a00fe0a', 'hex') },
      '--push',
      '-L1',
      '--lines',
    )
    expect(bodies.map((body) => body.toString('hex'))).toEqual(['ff', '00fe'])
  })

  test('with an interval leaves that much time between messages', async () => {
    const started = performance.now()
    const { sent } = await follow({}, 'a\nb\nc\n', '--push', '-L1', '--lines', '-i', '0.03')
    expect(sent).toEqual(['a', 'b', 'c'])
    const took = performance.now() - started
    expect(took).toBeGreaterThan(58)
  })

  test.each(['req', 'surveyor'])(
    'with --%s asks each line, and prints the answers to one before the next',
    async (type) => {
      const script = { receive: ['1', wrongState, '2', '3', wrongState] }
      const { stdout, calls } = await follow(script, 'a\nb\n', `--${type}`, '-L1', '--lines', '-A')
      expect(stdout).toBe('1\n2\n3\n')
      expect(calls.filter((call) => /^(send|receive)/.test(call))).toEqual([
        ...['send "a"', 'receive', 'receive'],
        ...['send "b"', 'receive', 'receive', 'receive'],
      ])
    },
  )

  test.each(['rep', 'respondent'])(
    'with --%s answers each question with the next line, and ends after the last',
    async (type) => {
      const script = { receive: ['x', 'y', 'z', 'never'] }
      const { exitCode, stdout, sent } = await follow(script, 'a\nb\n', `--${type}`, '-L1', '--lines', '-A')
      expect({ exitCode, stdout, sent }).toEqual({ exitCode: 0, stdout: 'x\ny\nz\n', sent: ['a', 'b'] })
    },
  )

  test.each(['pair', 'bus'])(
    'with --%s says the lines, prints what comes meanwhile, and goes on listening',
    async (type) => {
      const script = { receive: ['x', 'y', timedOut] }
      const { exitCode, stdout, sent } = await follow(script, 'a\nb\n', `--${type}`, '-L1', '--lines', '-A')
      expect({ exitCode, stdout, sent }).toEqual({ exitCode: 0, stdout: 'x\ny\n', sent: ['a', 'b'] })
    },
  )

  test('with --pair says all lines, although nothing more comes before the end of stdin', async () => {
    const stdin = new PassThrough()
    const { sockets, calls } = scripted({ receive: [timedOut] })
    const ended = nanocatWith({ sockets, stdin }, '--pair', '-L1', '--lines')
    while (!calls.includes('receive')) await new Promise(setImmediate)
    stdin.end('late\n')
    expect((await ended).exitCode).toBe(0)
    expect(calls).toContain('send "late"')
  })

  test('with --pair and --count ends when that number has come, although stdin goes on', async () => {
    const stdin = new PassThrough()
    const { exitCode, stdout } = await follow(
      { receive: ['x', 'y'] },
      stdin,
      '--pair',
      '-L1',
      '--lines',
      '-A',
      '--count',
      '2',
    )
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'x\ny\n' })
    expect(stdin.destroyed).toBe(true)
  })

  test('ends with the error of a send, although stdin goes on', async () => {
    const stdin = new PassThrough()
    stdin.write('a\n')
    const { exitCode, stderr } = await follow({ send: [refusal('ENOMEM')] }, stdin, '--pair', '-L1', '--lines')
    expect({ exitCode, stderr }).toEqual({ exitCode: 3, stderr: "Can't send: Cannot allocate memory\n" })
  })

  test('is ended by a signal while stdin goes on', async () => {
    const { sockets } = scripted()
    const onInterruption = (interrupt: (signal: 'SIGTERM') => void) => setTimeout(() => interrupt('SIGTERM'), 10)
    const { exitCode } = await nanocatWith(
      { sockets, stdin: new PassThrough(), onInterruption },
      '--push',
      '-L1',
      '--lines',
    )
    expect(exitCode).toBe(143)
  })

  test('reports a stdin that cannot be read, with status 2', async () => {
    const stdin = new PassThrough()
    stdin.on('newListener', (event) => event === 'readable' && setImmediate(() => stdin.destroy(refusal('EIO'))))
    const { exitCode, stderr } = await follow({}, stdin, '--push', '-L1', '--lines')
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: "Error reading file ``-'': Input/output error\n" })
  })
})

describe('--count', () => {
  test.each(['push', 'pub'])('with --%s sends that number of times', async (type) => {
    const { sent } = await follow({}, '', `--${type}`, '-L1', '-D', 'a', '--count', '3')
    expect(sent).toEqual(['a', 'a', 'a'])
  })

  test('with an interval leaves that much time between messages, and none after the last', async () => {
    const started = performance.now()
    const { sent } = await follow({}, '', '--push', '-L1', '-Da', '--count', '2', '-i', '0.2')
    expect(sent).toHaveLength(2)
    const took = performance.now() - started
    expect(took).toBeGreaterThan(195)
    expect(took).toBeLessThan(390)
  })

  test('with --lines sends that number of lines, and leaves the others', async () => {
    const { exitCode, sent } = await follow({}, 'a\nb\nc\n', '--push', '-L1', '--lines', '--count', '2')
    expect({ exitCode, sent }).toEqual({ exitCode: 0, sent: ['a', 'b'] })
  })

  test.each(['pull', 'sub', 'rep', 'respondent', 'bus', 'pair'])(
    'with --%s ends when that number has come',
    async (type) => {
      const script = { receive: ['a', 'b', 'c'] }
      const { exitCode, stdout } = await follow(script, '', `--${type}`, '-L1', '-A', '--count', '2')
      expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'a\nb\n' })
    },
  )

  test.each(['pair', 'bus'])('with --%s and data ends when that number has come', async (type) => {
    const script = { receive: ['a', 'b', 'c'] }
    const { stdout, sent } = await follow(script, '', `--${type}`, '-L1', '-A', '-D', 'x', '--count', '2')
    expect({ stdout, sent }).toEqual({ stdout: 'a\nb\n', sent: ['x'] })
  })

  test.each(['req', 'surveyor'])('with --%s asks that number of times', async (type) => {
    const script = { receive: ['a', wrongState, 'b', wrongState] }
    const { exitCode, stdout, sent } = await follow(script, '', `--${type}`, '-L1', '-A', '-D', 'x', '--count', '2')
    expect({ exitCode, stdout, sent }).toEqual({ exitCode: 0, stdout: 'a\nb\n', sent: ['x', 'x'] })
  })

  test.each(['rep', 'respondent'])('with --%s and data ends when that number is answered', async (type) => {
    const script = { receive: ['a', 'b', 'c'] }
    const { exitCode, sent } = await follow(script, '', `--${type}`, '-L1', '-D', 'x', '--count', '2')
    expect({ exitCode, sent }).toEqual({ exitCode: 0, sent: ['x', 'x'] })
  })
})
