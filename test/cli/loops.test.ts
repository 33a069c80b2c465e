import { describe, expect, test } from 'vitest'
import { until } from '../api/support.js'
import { nanocatWith } from './in-process.js'
import { refusal, type Script, scripted } from './scripted-socket.js'

const timedOut = refusal('ETIMEDOUT')
const wrongState = refusal('EFSM')

async function follow(script: Script, ...args: string[]) {
  const { sockets, calls } = scripted(script)
  const { exitCode, stdout, stderr } = await nanocatWith({ sockets }, ...args)
  return { exitCode, stdout: stdout.toString(), stderr, calls }
}

describe('before the conversation', () => {
  test('options are set, then all binds are made, then all connects', async () => {
    const { calls } = await follow(
      { receive: [timedOut] },
      ...['--rep', '--connect', 'c1', '--bind', 'b1', '-x', 'c2', '-X', 'b2'],
      ...['--send-timeout', '1', '--recv-timeout', '0.9', '--socket-name', 'n'],
    )
    expect(calls).toEqual([
      ...['sendTimeout 1000', 'receiveTimeout 900', 'name "n"'],
      ...['bind "b1"', 'bind "ipc://b2"', 'connect "c1"', 'connect "ipc://c2"', 'receive', 'close'],
    ])
  })

  test('timeouts below zero and those not given leave the defaults', async () => {
    const { calls } = await follow({ receive: [timedOut] }, '--rep', '-L1', '--recv-timeout', '-1')
    expect(calls).toEqual(['bind "tcp://127.0.0.1:1"', 'receive', 'close'])
  })

  test('a SUB without prefixes subscribes to everything', async () => {
    const { calls } = await follow({ receive: [timedOut] }, '--sub', '-L1')
    expect(calls[0]).toBe('subscribe ""')
  })

  test('a SUB subscribes to all prefixes', async () => {
    const { calls } = await follow({ receive: [timedOut] }, '--sub', '-L1', '--subscribe', 'a', '--subscribe', 'b')
    expect(calls[0]).toBe('subscribe "a" "b"')
  })

  test('a PUB that connects gives its peers a moment to shake hands', async () => {
    const { sockets } = scripted()
    const started = performance.now()
    await nanocatWith({ sockets }, '--pub', '-l1', '-Dx')
    expect(performance.now() - started).toBeGreaterThan(95)
  })

  test('--delay comes before the first message', async () => {
    const { sockets } = scripted({ receive: [timedOut] })
    const started = performance.now()
    await nanocatWith({ sockets }, '--pull', '-l1', '-d', '0.05')
    expect(performance.now() - started).toBeGreaterThan(45)
  })

  test('nothing is told without --verbose, or when --silent takes it back', async () => {
    for (const flags of [[], ['-q'], ['-vq']]) {
      expect((await follow({ receive: [timedOut] }, '--pull', '-L1', ...flags)).stderr).toBe('')
    }
  })

  test('--verbose tells where we listen, with the port the system chose, and where we connect to', async () => {
    const { stdout, stderr } = await follow({ receive: [timedOut] }, '--pull', '-v', '-l1', '-L0', '--bind', 'b')
    expect(stderr).toBe('listening on tcp://127.0.0.1:4711\nlistening on b\nconnecting to tcp://127.0.0.1:1\n')
    expect(stdout).toBe('')
  })

  test.each([
    ['sendTimeout', "Can't set send timeout"],
    ['receiveTimeout', "Can't set recv timeout"],
    ['name', "Can't set socket name"],
    ['subscribe', "Can't subscribe"],
    ['bind', "Can't bind"],
    ['connect', "Can't connect"],
  ])('a refusal of %s is reported as "%s" with status 3, and the socket closed', async (step, attempt) => {
    const type = step === 'sendTimeout' ? ['--req', '-Dx', '--send-timeout=1'] : ['--sub', '--recv-timeout=1']
    const { exitCode, stderr, calls } = await follow(
      { refuse: { [step]: refusal('EINVAL', 'EINVAL: something else') } },
      ...type,
      ...['--socket-name', 'n', '-L1', '-l2'],
    )
    expect({ exitCode, stderr }).toEqual({ exitCode: 3, stderr: `${attempt}: Invalid argument\n` })
    expect(calls.at(-1)).toBe('close')
  })

  test('a socket class that is not there is reported', async () => {
    const { exitCode, stderr } = await nanocatWith({ sockets: {} }, '--bus', '-L1')
    expect({ exitCode, stderr }).toEqual({
      exitCode: 3,
      stderr: "Can't create socket: this version has no Bus sockets\n",
    })
  })

  test('an error the C library has no word for is told in its own', async () => {
    const { stderr } = await follow({ refuse: { bind: refusal('EODD', 'an odd thing') } }, '--pull', '-L1')
    expect(stderr).toBe("Can't bind: an odd thing\n")
  })
})

describe.each(['push', 'pub'])('--%s', (type) => {
  const args = [`--${type}`, '-L1', '-D', 'data']

  test('sends once, sees the message off and ends', async () => {
    expect(await follow({}, ...args)).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
      calls: ['bind "tcp://127.0.0.1:1"', 'send "data"', 'close {"linger":60000}'],
    })
  })

  test('lingers no longer than the send timeout', async () => {
    expect((await follow({}, ...args, '--send-timeout', '2')).calls.at(-1)).toBe('close {"linger":2000}')
  })

  test('tells that a message found no room, and goes on', async () => {
    const { exitCode, stderr } = await follow({ send: [refusal('EAGAIN')] }, ...args)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: 'Message not sent (EAGAIN)\n' })
  })

  test('fails when the send timeout is over', async () => {
    const { exitCode, stderr } = await follow({ send: [timedOut] }, ...args)
    expect({ exitCode, stderr }).toEqual({
      exitCode: 3,
      stderr: "Can't send: Connection timed out\nno peer is connected\n",
    })
  })

  test('with an interval, sends until it cannot', async () => {
    const { calls } = await follow({ send: [undefined, undefined, timedOut] }, ...args, '-i', '0.01')
    expect(calls.filter((call) => call.startsWith('send'))).toHaveLength(3)
  })

  test('without pause between messages, a signal still ends it', async () => {
    const { sockets, calls } = scripted()
    const onInterruption = (interrupt: (signal: 'SIGTERM') => void) =>
      void until(() => calls.length > 3).then(() => interrupt('SIGTERM'))
    const { exitCode } = await nanocatWith({ sockets, onInterruption }, ...args, '-i', '0')
    expect(exitCode).toBe(143)
  })
})

describe.each(['pull', 'sub', 'rep', 'respondent', 'bus', 'pair'])('--%s without data', (type) => {
  const args = [`--${type}`, '-L1', '-A']

  test.each([timedOut, wrongState])('prints what it receives, and ends well with $code', async (last) => {
    const result = await follow({ receive: ['one', 'two', last] }, ...args)
    expect(result).toMatchObject({ exitCode: 0, stdout: 'one\ntwo\n', stderr: '' })
    expect(result.calls.at(-1)).toBe('close')
  })

  test('fails with any other error', async () => {
    const { exitCode, stdout, stderr } = await follow({ receive: ['one', refusal('ENOMEM')] }, ...args)
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 3,
      stdout: 'one\n',
      stderr: "Can't recv: Cannot allocate memory\n",
    })
  })

  test('prints nothing without a format', async () => {
    expect(await follow({ receive: ['one', timedOut] }, `--${type}`, '-L1')).toMatchObject({ exitCode: 0, stdout: '' })
  })
})

describe.each(['req', 'surveyor', 'bus', 'pair'])('--%s with data', (type) => {
  const args = [`--${type}`, '-L1', '-A', '-D', 'question']

  test('asks once and prints answers until there can be no more', async () => {
    const { exitCode, stdout, calls } = await follow({ receive: ['one', 'two', wrongState] }, ...args)
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'one\ntwo\n' })
    expect(calls.slice(1, -1)).toEqual(['send "question"', 'receive', 'receive', 'receive'])
  })

  test('with an interval, asks again when it is over, and waits that long', async () => {
    const script = { receive: ['one', timedOut, 'two', timedOut], send: [undefined, undefined, timedOut] }
    const { exitCode, stdout, stderr, calls } = await follow(script, ...args, '-i', '0.05')
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 3,
      stdout: 'one\ntwo\n',
      stderr: "Can't send: Connection timed out\nno peer is connected\n",
    })
    const timeouts = calls.flatMap((call) => /^receive \{"timeout":(\d+)\}$/.exec(call)?.[1] ?? []).map(Number)
    expect(timeouts).toHaveLength(4)
    expect(Math.min(...timeouts)).toBeGreaterThan(0)
    expect(Math.max(...timeouts)).toBeLessThanOrEqual(50)
  })

  test('a receive timeout below the interval is respected, and the interval as well', async () => {
    const script = { receive: [timedOut], send: [undefined, timedOut] }
    const started = performance.now()
    const { calls } = await follow(script, ...args, '-i', '0.05', '--recv-timeout', '0.01')
    expect(calls).toContain('receive {"timeout":10}')
    expect(performance.now() - started).toBeGreaterThan(45)
  })
})

describe.each(['rep', 'respondent'])('--%s with data', (type) => {
  const args = [`--${type}`, '-L1', '-A', '-D', 'answer']

  test('prints and answers each question; a receive timeout is an error', async () => {
    const { exitCode, stdout, stderr, calls } = await follow({ receive: ['one', 'two', timedOut] }, ...args)
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 3,
      stdout: 'one\ntwo\n',
      stderr: "Can't recv: Connection timed out\n",
    })
    expect(calls.slice(1, -1)).toEqual(['receive', 'send "answer"', 'receive', 'send "answer"', 'receive'])
  })

  test('an empty answer is an answer', async () => {
    const { calls } = await follow({ receive: ['one', timedOut] }, `--${type}`, '-L1', '-D', '')
    expect(calls).toContain('send ""')
  })
})

test('an empty stdin is sent as an empty message', async () => {
  const { sockets, calls } = scripted()
  const { exitCode } = await nanocatWith({ sockets, stdin: '' }, '--push', '-L1', '-F', '-')
  expect(exitCode).toBe(0)
  expect(calls).toContain('send ""')
})

test('stdin is sent as one message', async () => {
  const { sockets, calls } = scripted()
  await nanocatWith({ sockets, stdin: 'two\nlines' }, '--push', '-L1', '-F-')
  expect(calls).toContain('send "two\\nlines"')
})
