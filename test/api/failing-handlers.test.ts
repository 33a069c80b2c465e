// Handlers of serve() that fail: each failure ends one request, it is reported, and serving goes on.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { NanomsgError, RemoteError, Rep, Req, Respondent, Surveyor } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll, failureOf, runProgram } from './support.js'

const addresses = ['inproc://failing', 'tcp://127.0.0.1:0', 'ws://127.0.0.1:0/failing']
const failing: Record<string, () => unknown> = {
  throws: () => {
    throw new Error('bad request')
  },
  'throws nothing at all': () => {
    throw undefined
  },
  rejects: () => Promise.reject(new Error('bad request')),
  'returns a number': () => 5,
  'returns parts that are none': () => ['a', 5],
  'returns bytes that are gone': () => {
    const bytes = new Uint8Array(8)
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
    return bytes
  },
}

/** Fails when asked to, and answers otherwise. */
const handlerOf = (fail: () => unknown) => (body: Buffer) => (String(body) === 'bad' ? fail() : `re: ${body}`) as string

/** The failures that the channel reports while `run` runs. */
async function reported(run: () => Promise<void>): Promise<{ kind: string; error: unknown; body: Buffer }[]> {
  const failures: { kind: string; error: unknown; body: Buffer }[] = []
  const onMessage = (failure: unknown) => failures.push(failure as (typeof failures)[number])
  subscribe('nanomsg:handler-failure', onMessage)
  try {
    await run()
  } finally {
    unsubscribe('nanomsg:handler-failure', onMessage)
  }
  return failures
}

describe.each(addresses)('a handler over %s', (address) => {
  test.each(Object.keys(failing))('that %s ends that request and no other', async (name) => {
    const failures = await reported(async () => {
      await using req = new Req()
      await using rep = new Rep()
      connectAll(address, rep, req)
      void rep.serve(handlerOf(failing[name]!))
      const bad = failureOf(() => req.request('bad', { timeout: 100 }))
      for (const text of ['a', 'b']) expect(String(await req.request(text))).toBe(`re: ${text}`)
      expect((await bad).code).toBe('ETIMEDOUT')
    })
    expect(failures.length).toBe(1)
    expect(failures[0]).toMatchObject({ body: Buffer.from('bad') })
  })

  test('of a Respondent that throws ends that survey and no other', async () => {
    const failures = await reported(async () => {
      await using surveyor = new Surveyor()
      await using respondent = new Respondent()
      connectAll(address, respondent, surveyor)
      await surveyor.ready()
      void respondent.serve(handlerOf(failing.throws!))
      const answersTo = async (question: string) => {
        const answers: string[] = []
        for await (const answer of surveyor.survey(question, { deadline: 200 })) answers.push(String(answer))
        return answers
      }
      expect(await Promise.all([answersTo('bad'), answersTo('a')])).toEqual([[], ['re: a']])
    })
    expect(failures.length).toBe(1)
  })
})

describe('onError', () => {
  test('may answer later, and when it throws itself that is reported', async () => {
    const failures = await reported(async () => {
      await using req = new Req()
      await using rep = new Rep()
      connectAll('inproc://on-error', rep, req)
      void rep.serve(handlerOf(failing.throws!), {
        onError: async (error, body) => `${body}: ${(error as Error).message}`,
      })
      expect(String(await req.request('bad'))).toBe('bad: bad request')
    })
    expect(failures).toEqual([])

    const [failure] = await reported(async () => {
      await using req = new Req()
      await using rep = new Rep()
      connectAll('inproc://on-error', rep, req)
      void rep.serve(handlerOf(failing.throws!), {
        onError: () => {
          throw new Error('of onError')
        },
      })
      await failureOf(() => req.request('bad', { timeout: 50 }))
      expect(String(await req.request('a'))).toBe('re: a')
    })
    expect((failure!.error as Error).message).toBe('of onError')
  })

  /** Bytes that are gone that many microtasks after the handler has returned: sooner or later than they are sent. */
  const vanishing = (steps: number) => {
    const bytes = new Uint8Array(9).fill(97)
    let step = Promise.resolve()
    for (let i = 0; i < steps; i++) step = step.then(() => {})
    void step.then(() => structuredClone(bytes.buffer, { transfer: [bytes.buffer] }))
    return bytes
  }
  const STEPS = 12

  test.each([false, true])(
    'hears of each reply that cannot be sent (with errors in replies: %s)',
    async (replyErrors) => {
      const failures = await reported(async () => {
        await using req = new Req()
        await using rep = new Rep()
        connectAll('inproc://on-error', rep, req)
        const heard: unknown[] = []
        const onError = (error: unknown) => {
          heard.push(error)
          return 'instead'
        }
        void rep.serve(async (body) => vanishing(Number(body)), { onError, replyErrors })
        let sent = 0
        for (let steps = 0; steps < STEPS; steps++) {
          const reply = String(await req.request(String(steps), { expectErrors: replyErrors, timeout: 5000 }))
          expect(['a'.repeat(9), 'instead']).toContain(reply)
          if (reply !== 'instead') sent++
          expect(heard.length).toBe(steps + 1 - sent)
        }
        expect(sent).toBeGreaterThan(0)
        expect(heard.length).toBeGreaterThan(0)
        for (const error of heard) expect(error).toMatchObject({ name: 'NanomsgError', code: /EFAULT|EINVAL/ })
      })
      expect(failures).toEqual([])
    },
  )

  test('whose own answers cannot be sent is reported, and serving goes on', async () => {
    let sent = 0
    const failures = await reported(async () => {
      await using req = new Req()
      await using rep = new Rep()
      connectAll('inproc://on-error', rep, req)
      void rep.serve(failing.throws! as never, { onError: (_, body) => vanishing(Number(body)) })
      for (let steps = 0; steps < STEPS; steps++) {
        const reply = await req.request(String(steps), { timeout: 50 }).catch(() => undefined)
        if (reply !== undefined) sent++
      }
    })
    expect(sent).toBeGreaterThan(0)
    expect(failures.length).toBe(STEPS - sent)
    expect(failures.length).toBeGreaterThan(1)
  })

  test.each([
    ['stopOnError', { stopOnError: true, onError: () => undefined }],
    ['stopOnError', { stopOnError: 1 }],
    ['replyErrors', { replyErrors: 'yes' }],
  ])('%s is refused where it makes no sense', async (name, options) => {
    await using rep = new Rep()
    const error = await failureOf(() => rep.serve((body) => body, options as never))
    expect(error.code).toBe('EINVAL')
    expect(error.message).toContain(name)
  })
})

test('without a listener the process is warned once of each kind of failure', async () => {
  const { stdout, stderr, exitCode } = await runProgram(`
    const { Rep, Req } = require('nanomsg-native')
    const warnings = []
    process.on('warning', ({ name, code, message, detail }) => warnings.push([name, code, message.split(' ').slice(0, 2).join(' '), detail.split('\\n')[0]]))
    void (async () => {
      const rep = new Rep(), req = new Req()
      req.connect(rep.bind('inproc://warned').address)
      void rep.serve((body) => { if (String(body) === 'throw') throw new TypeError('my fault'); return String(body) === 'number' ? 5 : body })
      for (const text of ['throw', 'number', 'throw', 'number']) await req.request(text, { timeout: 20 }).catch(() => {})
      console.log(String(await req.request('well')), JSON.stringify(warnings.map(([name, code, , detail]) => [name, code, detail.slice(0, 19)])))
      await Promise.all([req.close(), rep.close()])
    })()`)
  expect({ exitCode, stdout }).toEqual({
    exitCode: 0,
    stdout: `well ${JSON.stringify([
      ['NanomsgWarning', 'NANOMSG_SERVE', 'TypeError: my fault'],
      ['NanomsgWarning', 'NANOMSG_SERVE', 'NanomsgError: EINVA'],
    ])}\n`,
  })
  expect(stderr).toMatch(/serving goes on.*onError/)
})

describe('errors in replies', () => {
  const fail = () => {
    throw Object.assign(new RangeError('too many'), { code: 'E_MANY' })
  }

  test('reject the request of an asker that expects them', async () => {
    await using req = new Req()
    await using rep = new Rep()
    connectAll('tcp://127.0.0.1:0', rep, req)
    void rep.serve(handlerOf(fail), { replyErrors: true, onError: () => undefined })
    const error = await failureOf(() => req.request('bad', { expectErrors: true, timeout: 5000 }))
    expect(error).toBeInstanceOf(RemoteError)
    expect(error).toBeInstanceOf(NanomsgError)
    expect(error).toMatchObject({
      code: 'EREMOTEIO',
      syscall: 'request',
      remote: { name: 'RangeError', message: 'too many', code: 'E_MANY' },
    })
    expect(JSON.stringify((error as RemoteError).remote)).not.toContain('failing-handlers')
  })

  test('leave good replies and parts of bodies as they are', async () => {
    await using req = new Req()
    await using rep = new Rep()
    connectAll('tcp://127.0.0.1:0', rep, req)
    void rep.serve((body) => [body, '!'], { replyErrors: true })
    const ask = (body: string | string[]) => req.request(body, { expectErrors: true })
    expect((await Promise.all([ask('a'), ask(['b', 'c']), ask('')])).map(String)).toEqual(['a!', 'bc!', '!'])
  })

  test('are never seen by an asker that does not expect them', async () => {
    await using req = new Req()
    await using rep = new Rep()
    connectAll('tcp://127.0.0.1:0', rep, req)
    void rep.serve(handlerOf(fail), { replyErrors: true, onError: () => undefined })
    const silent = failureOf(() => req.request('bad', { timeout: 100 }))
    expect(String(await req.request('a'))).toBe('re: a')
    expect((await silent).code).toBe('ETIMEDOUT')
  })

  test.each([
    ['plain', 'pong'],
    ['a mark and nothing', '\0nn-err1'],
    ['an error that is no JSON', '\0nn-err1\x01{'],
    ['an error without a name', '\0nn-err1\x01{"message":"m"}'],
    ['an error that is null', '\0nn-err1\x01null'],
  ])('that do not follow the convention are EPROTO: %s', async (_, reply) => {
    await using req = new Req()
    await using rep = new Rep()
    connectAll('tcp://127.0.0.1:0', rep, req)
    void rep.serve(() => Buffer.from(reply, 'latin1'))
    const error = await failureOf(() => req.request('ping', { expectErrors: true }))
    expect(error.code).toBe('EPROTO')
    expect(error.message).toContain('replyErrors')
  })
})
