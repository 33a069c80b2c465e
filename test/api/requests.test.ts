import { Rep, Req } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll, failureOf, transports } from './support.js'

describe.each(transports)('over $scheme', ({ address }) => {
  test('a request is kept for the first peer that can answer it', async () => {
    await using req = new Req()
    await using rep = new Rep()
    await req.send('anybody?')
    connectAll(address(), rep, req)
    expect(String(await rep.receive())).toBe('anybody?')
    await rep.send('me')
    expect(String(await req.receive())).toBe('me')
  })

  test('a reply reaches its asker, among many that ask at once', async () => {
    await using rep = new Rep()
    const { address: bound } = rep.bind(address())
    const serving = (async () => {
      for await (const request of rep) await rep.send(`to ${request}`)
    })()
    await Promise.all(
      Array.from({ length: 20 }, async (_, asker) => {
        await using req = new Req()
        req.connect(bound)
        for (let i = 0; i < 20; i++) {
          await req.send(`${asker}/${i}`)
          expect(String(await req.receive())).toBe(`to ${asker}/${i}`)
        }
      }),
    )
    await rep.close()
    await serving
  })

  test('Reps take requests in turn', async () => {
    await using req = new Req()
    await using a = new Rep()
    await using b = new Rep()
    const counts = { a: 0, b: 0 }
    const serve = async (rep: Rep, name: 'a' | 'b') => {
      for await (const _request of rep) {
        counts[name]++
        await rep.send(name)
      }
    }
    void serve(a, 'a')
    void serve(b, 'b')
    req.connect(a.bind(address()).address)
    req.connect(b.bind(address()).address)
    // Until both are connected, one answers all.
    while (counts.a === 0 || counts.b === 0) await ask(req, 'sync')
    const before = { ...counts }
    for (let i = 0; i < 10; i++) await ask(req, 'next')
    expect([counts.a - before.a, counts.b - before.b]).toEqual([5, 5])
  })
})

async function ask(req: Req, question: string): Promise<string> {
  await req.send(question)
  return String(await req.receive())
}

/** A Req and a Rep that are connected. */
async function pairUp() {
  const req = new Req()
  const rep = new Rep()
  connectAll('tcp://127.0.0.1:0', rep, req)
  return {
    req,
    rep,
    async [Symbol.asyncDispose]() {
      await Promise.all([req.close(), rep.close()])
    },
  }
}

describe('what comes out of order is EFSM', () => {
  test('a Req that receives the same reply twice', async () => {
    await using both = await pairUp()
    const { req, rep } = both
    await req.send('?')
    await rep.receive()
    await rep.send('!')
    await req.receive()
    expect((await failureOf(() => req.receive())).code).toBe('EFSM')
    expect((await failureOf(() => req.tryReceive())).code).toBe('EFSM')
  })

  test('a Rep that replies twice', async () => {
    await using both = await pairUp()
    const { req, rep } = both
    await req.send('?')
    await rep.receive()
    await rep.send('!')
    const error = await failureOf(() => rep.send('!!'))
    expect([error.code, error.syscall]).toEqual(['EFSM', 'send'])
    expect(error.message).toContain('Receive a request before you reply')
    expect(String(await req.receive())).toBe('!')
  })

  test('two calls that wait for one reply: the first gets it', async () => {
    await using both = await pairUp()
    const { req, rep } = both
    await req.send('?')
    const first = req.receive()
    const second = failureOf(() => req.receive())
    await rep.receive()
    await rep.send('!')
    expect(String(await first)).toBe('!')
    expect((await second).code).toBe('EFSM')
  })

  test('and does no harm to what follows', async () => {
    await using both = await pairUp()
    const { req, rep } = both
    for (let i = 0; i < 10; i++) {
      expect((await failureOf(() => req.receive())).code).toBe('EFSM')
      expect((await failureOf(() => rep.send('early'))).code).toBe('EFSM')
      await req.send(`${i}`)
      expect(String(await rep.receive())).toBe(`${i}`)
      await rep.send(`${i}!`)
      expect(String(await req.receive())).toBe(`${i}!`)
    }
  })
})

describe('giving up', () => {
  test('waiting for a reply leaves the request as it is', async () => {
    await using both = await pairUp()
    const { req, rep } = both
    await req.send('slow')
    const controller = new AbortController()
    const received = req.receive({ signal: controller.signal })
    controller.abort(new Error('later'))
    await expect(received).rejects.toThrow('later')
    expect((await failureOf(() => req.receive({ timeout: 5 }))).code).toBe('ETIMEDOUT')
    expect(String(await rep.receive())).toBe('slow')
    await rep.send('in the end')
    expect(String(await req.receive())).toBe('in the end')
  })

  test('a request drops its reply that is there already', async () => {
    await using both = await pairUp()
    const { req, rep } = both
    for (let i = 0; i < 50; i++) {
      await req.send('old')
      expect(String(await rep.receive())).toBe('old')
      await rep.send('reply to old')
      await req.send('new')
      expect(String(await rep.receive())).toBe('new')
      await rep.send('reply to new')
      expect(String(await req.receive())).toBe('reply to new')
    }
  })

  test('a request while a call waits for its reply: the call gets the reply to the new one', async () => {
    await using both = await pairUp()
    const { req, rep } = both
    await req.send('old')
    const received = req.receive()
    expect(String(await rep.receive())).toBe('old')
    await req.send('new')
    await rep.send('reply to old')
    expect(String(await rep.receive())).toBe('new')
    await rep.send('reply to new')
    expect(String(await received)).toBe('reply to new')
  })

  test('a request that has found no peer means that none gets it', async () => {
    await using req = new Req()
    await using rep = new Rep()
    await req.send('first')
    await req.send('second')
    connectAll('tcp://127.0.0.1:0', rep, req)
    expect(String(await rep.receive())).toBe('second')
    await rep.send('reply')
    expect(String(await req.receive())).toBe('reply')
    expect(rep.tryReceive()).toBeUndefined()
  })

  test('a request by receiving the next: only that is replied to', async () => {
    await using rep = new Rep()
    const { address } = rep.bind('tcp://127.0.0.1:0')
    await using forgotten = new Req()
    await using heard = new Req()
    forgotten.connect(address)
    heard.connect(address)
    await forgotten.send('forgotten')
    expect(String(await rep.receive())).toBe('forgotten')
    await heard.send('heard')
    expect(String(await rep.receive())).toBe('heard')
    await rep.send('reply')
    expect(String(await heard.receive())).toBe('reply')
    expect(forgotten.tryReceive()).toBeUndefined()
  })
})

test('a reply to a peer that is gone goes nowhere, and the next is served', async () => {
  await using rep = new Rep()
  const { address } = rep.bind('tcp://127.0.0.1:0')
  for (let i = 0; i < 20; i++) {
    const req = new Req()
    req.connect(address)
    await req.send('bye')
    expect(String(await rep.receive())).toBe('bye')
    await req.close({ linger: 0 })
    await rep.send('too late')
  }
  await using req = new Req()
  req.connect(address)
  await req.send('hello')
  expect(String(await rep.receive())).toBe('hello')
  await rep.send('hello!')
  expect(String(await req.receive())).toBe('hello!')
})

test('a request is sent again and again until it is answered, and not after', async () => {
  await using both = await pairUp()
  const { req, rep } = both
  req.resendInterval = 10
  await req.send('answer me')
  for (let i = 0; i < 4; i++) expect(String(await rep.receive())).toBe('answer me')
  await rep.send('yes')
  expect(String(await req.receive())).toBe('yes')
  // What was on its way when the reply came may still arrive; then there is silence.
  let left = 0
  while ((await rep.receive({ timeout: 50 }).catch((error) => error.code)) !== 'ETIMEDOUT') left++
  expect(left).toBeLessThanOrEqual(3)
})
