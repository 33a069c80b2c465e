import { Pull, Push } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll, failureOf, fill, transports, turn, until } from './support.js'

describe.each(transports)('over $scheme', ({ address }) => {
  test('a Push without a Pull waits; trySend() says so', async () => {
    await using push = new Push()
    push.bind(address())
    expect(push.trySend('x')).toBe(false)
    expect((await failureOf(() => push.send('x', { timeout: 5 }))).code).toBe('ETIMEDOUT')
  })

  test('Pulls that keep up get the same number of messages', async () => {
    await using push = new Push()
    const pulls = [new Pull(), new Pull(), new Pull()]
    const counts = [0, 0, 0]
    connectAll(address(), push, ...pulls)
    pulls.forEach((pull, i) => {
      void (async () => {
        for await (const _message of pull) counts[i]!++
      })()
    })
    while (counts.includes(0)) {
      await push.send('sync')
      await turn()
    }
    const before = [...counts]
    const total = () => counts.reduce((sum, count, i) => sum + count - before[i]!, 0)
    for (let i = 0; i < 300; i++) {
      const expected = total() + 1
      await push.send('x')
      await until(() => total() >= expected)
    }
    // What was on its way at the beginning is counted, too.
    for (const [i, count] of counts.entries()) expect(count - before[i]!).toBeGreaterThanOrEqual(100)
    await Promise.all(pulls.map((pull) => pull.close()))
  })

  test('a Pull that does not read does not hold up one that does', async () => {
    await using push = new Push()
    await using idle = new Pull()
    await using busy = new Pull()
    connectAll(address(), push, idle, busy)
    const body = Buffer.alloc(20_000)
    let received = 0
    void (async () => {
      for await (const _message of busy) received++
    })()
    for (let i = 0; i < 3000; i++) await push.send(body)
    await until(() => received >= 1500)
    expect(idle.tryReceive()?.length).toBe(20_000)
  })

  test('messages of many Pushes come from each in its order', async () => {
    await using pull = new Pull()
    const pushes = Array.from({ length: 4 }, () => new Push())
    connectAll(address(), pull, ...pushes)
    const sending = pushes.map(async (push, sender) => {
      for (let i = 0; i < 500; i++) await push.send(`${sender}:${i}`)
    })
    const next = [0, 0, 0, 0]
    for (let i = 0; i < 2000; i++) {
      const [sender, number] = String(await pull.receive())
        .split(':')
        .map(Number)
      expect(number).toBe(next[sender!]!++)
    }
    await Promise.all(sending)
    await Promise.all(pushes.map((push) => push.close()))
  })

  test('when a Pull goes, the others get what is sent from then on', async () => {
    await using push = new Push()
    const leaving = new Pull()
    await using staying = new Pull()
    connectAll(address(), push, leaving)
    await push.send('a')
    expect(String(await leaving.receive())).toBe('a')
    await leaving.close()
    // What is sent before the end is noticed may be lost.
    staying.connect(push.bind(address()).address)
    const heard = staying.receive()
    let isHeard = false
    void heard.then(() => {
      isHeard = true
    })
    while (!isHeard) {
      push.trySend('anybody?')
      await turn()
    }
    await push.send('only you')
    let message = await heard
    while (String(message) !== 'only you') message = await staying.receive()
  })
})

describe('back-pressure', () => {
  test('calls that wait resolve one by one, in the order of the calls', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll('tcp://127.0.0.1:0', pull, push)
    await push.send('begin')
    const accepted = 1 + (await fill(push, Buffer.alloc(50_000)))
    const order: number[] = []
    const sent = Array.from({ length: 20 }, (_, i) => push.send(`${i}`).then(() => order.push(i)))
    await turn()
    expect(order).toEqual([])
    for (let i = 0; i < accepted; i++) await pull.receive()
    for (let i = 0; i < 20; i++) expect(String(await pull.receive())).toBe(`${i}`)
    await Promise.all(sent)
    expect(order).toEqual(Array.from({ length: 20 }, (_, i) => i))
  })

  test('a call that gives up leaves no message behind, and lets the next one through', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll('tcp://127.0.0.1:0', pull, push)
    await push.send('begin')
    const accepted = 1 + (await fill(push, Buffer.alloc(50_000)))
    const controller = new AbortController()
    const calls = [
      push.send('kept'),
      push.send('aborted', { signal: controller.signal }),
      push.send('late', { timeout: 5 }),
      push.send('kept, too'),
    ]
    controller.abort('enough')
    await expect(calls[1]).rejects.toBe('enough')
    await expect(calls[2]).rejects.toMatchObject({ code: 'ETIMEDOUT' })
    for (let i = 0; i < accepted; i++) await pull.receive()
    expect(String(await pull.receive())).toBe('kept')
    expect(String(await pull.receive())).toBe('kept, too')
    await Promise.all([calls[0], calls[3]])
    expect(pull.tryReceive()).toBeUndefined()
  })

  test('a body whose memory is given away while it waits is not sent as something else', async () => {
    await using push = new Push()
    await using pull = new Pull()
    for (const length of [100, 100_000]) {
      const body = new Uint8Array(length)
      const sent = push.send(body)
      structuredClone(body, { transfer: [body.buffer] })
      const endpoint = pull.bind('tcp://127.0.0.1:0')
      const connected = push.connect(endpoint.address)
      await expect(sent).rejects.toBeInstanceOf(Error)
      await push.send('next')
      expect(String(await pull.receive())).toBe('next')
      connected.close()
      endpoint.close()
    }
  })
})

describe('priorities', () => {
  test('a Push sends to the most important Pulls while they take messages', async () => {
    await using push = new Push({ sendPriority: 2 })
    await using spare = new Pull()
    await using chosen = new Pull()
    push.connect(spare.bind('inproc://spare').address)
    await push.send('to the only one')
    expect(String(await spare.receive())).toBe('to the only one')
    push.sendPriority = 1
    push.connect(chosen.bind('inproc://chosen').address)
    for (let i = 0; i < 10; i++) await push.send(`${i}`)
    for (let i = 0; i < 10; i++) expect(String(await chosen.receive())).toBe(`${i}`)
    expect(spare.tryReceive()).toBeUndefined()
    await chosen.close()
    await push.send('back to the other')
    expect(String(await spare.receive())).toBe('back to the other')
  })

  test('a Pull receives first from the most important Pushes', async () => {
    await using pull = new Pull({ receivePriority: 9 })
    await using low = new Push()
    await using high = new Push()
    low.connect(pull.bind('inproc://low').address)
    pull.receivePriority = 3
    high.connect(pull.bind('inproc://high').address)
    for (let i = 0; i < 3; i++) {
      await low.send('low')
      await high.send('high')
    }
    const received: string[] = []
    for (let i = 0; i < 6; i++) received.push(String(await pull.receive()))
    expect(received).toEqual(['high', 'high', 'high', 'low', 'low', 'low'])
  })
})
