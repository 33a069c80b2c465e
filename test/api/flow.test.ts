import { Pub, Pull, Push, Rep, Req, Sub } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll, fill, transports, turn, until } from './support.js'

describe.each(transports)('over $scheme', ({ address }) => {
  test('a sender waits for a receiver that does not read, and goes on when it does', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll(address(), pull, push)
    const body = Buffer.alloc(10_000, 'x')
    await push.send(body)
    const sent = 1 + (await fill(push, body))
    expect(push.trySend('no')).toBe(false)
    const waiting = push.send('last')
    let isSent = false
    void waiting.then(() => {
      isSent = true
    })
    await turn()
    expect(isSent).toBe(false)
    for (let i = 0; i < sent; i++) expect((await pull.receive()).length).toBe(10_000)
    expect(String(await pull.receive())).toBe('last')
    await waiting
  })

  test('a flood from a program that awaits each send stays bounded', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll(address(), pull, push)
    const body = Buffer.alloc(1000)
    let sent = 0
    let isOver = false
    const sending = (async () => {
      while (!isOver) {
        await push.send(body)
        sent++
      }
    })().catch(() => {})
    // It has come to rest when nothing more is sent in many turns.
    for (let before = -1, quiet = 0; quiet < 50; quiet = sent === before ? quiet + 1 : 0, before = sent) await turn()
    expect(sent * body.length).toBeLessThan(32 * 2 ** 20)
    isOver = true
    await push.close({ linger: 0 })
    await sending
  })

  test('a Pub does not wait for a Sub that does not read', async () => {
    await using pub = new Pub()
    await using slow = new Sub()
    await using quick = new Sub()
    slow.subscribe('')
    quick.subscribe('')
    connectAll(address(), pub, slow, quick)
    const heard: string[] = []
    void (async () => {
      for await (const message of quick) heard.push(String(message.subarray(0, 10)))
    })()
    const body = Buffer.alloc(20_000, '.')
    for (let i = 0; i < 1000; i++) {
      body.write(`${i}`.padEnd(10))
      await pub.send(body)
      await turn()
    }
    await until(() => heard.at(-1)?.trim() === '999')
  })
})

test.each(transports)(
  'long and short messages of one tick stay in order over $scheme, although no peer takes some at once',
  async ({ address }) => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll(address(), pull, push)
    await push.send('first')
    await pull.receive()
    const sizes = [10, 200_000, 10, 10, 20_000, 100, 200_000, 5000]
    const bodies = Array.from({ length: 40 }, (_, i) => Buffer.alloc(sizes[i % sizes.length]!, i))
    const sent = Promise.all(bodies.map((body) => push.send(body)))
    for (const body of bodies) expect((await pull.receive()).equals(body)).toBe(true)
    await sent
  },
)

test('a thousand small messages of one tick leave together and arrive in order', async () => {
  await using push = new Push()
  await using pull = new Pull()
  connectAll('tcp://127.0.0.1:0', pull, push)
  await push.send('begin')
  for (let i = 0; i < 5000; i++) void push.send(`${i}`)
  expect(String(await pull.receive())).toBe('begin')
  for (let i = 0; i < 5000; i++) expect(String(await pull.receive())).toBe(`${i}`)
})

test('messages of two sockets in one tick keep to their sockets', async () => {
  await using pushA = new Push()
  await using pushB = new Push()
  await using pullA = new Pull()
  await using pullB = new Pull()
  connectAll('tcp://127.0.0.1:0', pullA, pushA)
  connectAll('tcp://127.0.0.1:0', pullB, pushB)
  await Promise.all([pushA.send('begin'), pushB.send('begin')])
  for (let i = 0; i < 500; i++) {
    void pushA.send(`A${i}`)
    void pushB.send(i % 50 === 0 ? Buffer.alloc(20_000, 'B') : `B${i}`)
  }
  for (const [pull, name] of [
    [pullA, 'A'],
    [pullB, 'B'],
  ] as const) {
    expect(String(await pull.receive())).toBe('begin')
    for (let i = 0; i < 500; i++) {
      const message = String(await pull.receive())
      expect(message).toBe(name === 'B' && i % 50 === 0 ? 'B'.repeat(20_000) : `${name}${i}`)
    }
  }
})

test('a conversation goes on beside a flood, and timers do', async () => {
  await using push = new Push()
  await using pull = new Pull()
  connectAll('tcp://127.0.0.1:0', pull, push)
  let isOver = false
  const flooding = (async () => {
    while (!isOver) await push.send('flood')
  })()
  const draining = (async () => {
    for await (const message of pull) if (String(message) === 'the end') break
  })()

  await using req = new Req()
  await using rep = new Rep()
  connectAll('tcp://127.0.0.1:0', rep, req)
  void (async () => {
    for await (const request of rep) await rep.send(request)
  })()
  let ticks = 0
  const timer = setInterval(() => ticks++, 1)
  for (let i = 0; i < 100; i++) {
    await req.send(`${i}`)
    expect(String(await req.receive())).toBe(`${i}`)
  }
  await until(() => ticks > 10)
  clearInterval(timer)
  isOver = true
  await flooding
  await push.send('the end')
  await draining
})

test('of many senders none is left out', async () => {
  await using pull = new Pull()
  const pushes = Array.from({ length: 8 }, () => new Push())
  connectAll('tcp://127.0.0.1:0', pull, ...pushes)
  let isOver = false
  const sending = pushes.map(async (push, i) => {
    while (!isOver) await push.send(`${i}`)
  })
  const counts = new Array<number>(8).fill(0)
  for await (const message of pull) {
    counts[Number(message)]!++
    if (counts.every((count) => count >= 500)) break
  }
  isOver = true
  void (async () => {
    for await (const _rest of pull);
  })()
  await Promise.all(sending)
  await Promise.all(pushes.map((push) => push.close({ linger: 0 })))
})
