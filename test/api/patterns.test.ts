import { Bus, Pair, Pub, Pull, Push, Rep, Req, Respondent, Sub, Surveyor } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll, failureOf, transports, until } from './support.js'

describe.each(transports)('over $scheme', ({ address }) => {
  test('a Pair talks to one Pair, both ways', async () => {
    await using left = new Pair()
    await using right = new Pair()
    connectAll(address(), left, right)
    await left.send('ping')
    expect(String(await right.receive())).toBe('ping')
    await right.send('pong')
    expect(String(await left.receive())).toBe('pong')
  })

  test('a Pair has one peer at a time; the next one gets its turn', async () => {
    await using bound = new Pair()
    const first = new Pair()
    await using second = new Pair({ reconnectInterval: 5 })
    const endpoint = bound.bind(address())
    first.connect(endpoint.address)
    await first.send('first')
    expect(String(await bound.receive())).toBe('first')
    second.connect(endpoint.address)
    const sent = second.send('second')
    expect((await failureOf(() => bound.receive({ timeout: 30 }))).code).toBe('ETIMEDOUT')
    await first.close()
    expect(String(await bound.receive())).toBe('second')
    await sent
  })

  test('a Req is answered by a Rep', async () => {
    await using req = new Req()
    await using rep = new Rep()
    connectAll(address(), rep, req)
    for (const text of ['one', 'two', '']) {
      await req.send(text)
      expect(String(await rep.receive())).toBe(text)
      await rep.send(`${text}!`)
      expect(String(await req.receive())).toBe(`${text}!`)
    }
  })

  test('a request is shared out among Reps, and each answer finds its Req', async () => {
    await using repA = new Rep()
    await using repB = new Rep()
    const [a, b] = [repA.bind(address()), repB.bind(address())]
    const serve = async (rep: Rep, name: string) => {
      for await (const request of rep) await rep.send(`${request} by ${name}`)
    }
    const serving = [serve(repA, 'A'), serve(repB, 'B')]
    const answers = await Promise.all(
      Array.from({ length: 8 }, async (_, i) => {
        await using req = new Req()
        req.connect(a.address)
        req.connect(b.address)
        await req.send(`${i}`)
        return String(await req.receive())
      }),
    )
    expect(answers.map((answer) => answer[0])).toEqual(['0', '1', '2', '3', '4', '5', '6', '7'])
    await Promise.all([repA.close(), repB.close()])
    await Promise.all(serving)
  })

  test('Pushes share out, Pulls take in turn, nothing is lost', async () => {
    await using push = new Push()
    await using pullA = new Pull()
    await using pullB = new Pull()
    connectAll(address(), push, pullA, pullB)
    const counts = [0, 0]
    const seen = new Set<string>()
    const drain = async (pull: Pull, index: number) => {
      for await (const message of pull) {
        counts[index]!++
        seen.add(String(message))
      }
    }
    const draining = [drain(pullA, 0), drain(pullB, 1)]
    for (let i = 0; i < 2000; i++) await push.send(`${i}`)
    await until(() => seen.size === 2000)
    expect(counts[0]! + counts[1]!).toBe(2000)
    expect(Math.min(...counts)).toBeGreaterThan(0)
    await Promise.all([pullA.close(), pullB.close()])
    await Promise.all(draining)
  })

  test('a Sub hears what begins as it has subscribed', async () => {
    await using pub = new Pub()
    await using sub = new Sub()
    sub.subscribe('weather.', Buffer.from([0xff]), 'sync')
    connectAll(address(), pub, sub)
    await announce(pub, sub)
    for (const text of ['news', 'weather.rain', 'weather', 'weather.sun']) await pub.send(text)
    await pub.send(Buffer.from([0xff, 0]))
    expect(String(await sub.receive())).toBe('weather.rain')
    expect(String(await sub.receive())).toBe('weather.sun')
    expect((await sub.receive()).toString('hex')).toBe('ff00')
  })

  test('every Bus hears the others, and not itself', async () => {
    await using a = new Bus()
    await using b = new Bus()
    await using c = new Bus()
    connectAll(address(), a, b, c)
    const heard = [b.receive(), c.receive()]
    let isHeard = false
    void Promise.all(heard).then(() => {
      isHeard = true
    })
    // Until both are connected, some of these reach nobody.
    while (!isHeard) {
      await a.send('hello')
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(a.tryReceive()).toBeUndefined()
    await b.send('to the middle')
    expect(String(await a.receive())).toBe('to the middle')
  })

  test('a Surveyor gathers answers until the deadline', async () => {
    await using surveyor = new Surveyor({ deadline: 300 })
    await using a = new Respondent()
    await using b = new Respondent()
    connectAll(address(), surveyor, a, b)
    const answer = async (respondent: Respondent, text: string) => {
      for await (const _survey of respondent) await respondent.send(text)
    }
    void answer(a, 'A')
    void answer(b, 'B')
    const answers = new Set<string>()
    for (let survey = 0; survey < 20 && answers.size < 2; survey++) {
      answers.clear()
      await surveyor.send('who is there?')
      const end = await failureOf(async () => {
        while (true) answers.add(String(await surveyor.receive()))
      })
      expect(end.code).toBe('ETIMEDOUT')
    }
    expect([...answers].sort()).toEqual(['A', 'B'])
    expect((await failureOf(() => surveyor.receive())).code).toBe('EFSM')
  })
})

/** Publishes until the Sub hears it, which has subscribed to "sync". */
async function announce(pub: Pub, sub: Sub): Promise<void> {
  let heard: Buffer | undefined
  while (heard === undefined) {
    await pub.send('sync')
    await new Promise((resolve) => setImmediate(resolve))
    heard = sub.tryReceive()
  }
  await pub.send('sync.end')
  while (String(heard) !== 'sync.end') heard = await sub.receive()
}

describe('subscriptions', () => {
  test('can be ended, and are counted', async () => {
    await using pub = new Pub()
    await using sub = new Sub()
    sub.subscribe('sync', 'a', 'a', 'b')
    connectAll('inproc://subscriptions', pub, sub)
    await announce(pub, sub)
    sub.unsubscribe('a')
    await pub.send('a1')
    expect(String(await sub.receive())).toBe('a1')
    sub.unsubscribe('a')
    await pub.send('a2')
    await pub.send('b')
    expect(String(await sub.receive())).toBe('b')
    sub.unsubscribe('a') // there is none left to end
  })

  test('to the empty prefix hear everything; without any, nothing', async () => {
    await using pub = new Pub()
    await using all = new Sub()
    await using none = new Sub()
    all.subscribe('')
    connectAll('inproc://everything', pub, all, none)
    await announce(pub, all)
    await pub.send('')
    expect((await all.receive()).length).toBe(0)
    expect(none.tryReceive()).toBeUndefined()
  })

  test('must be bytes, all of them', async () => {
    await using sub = new Sub()
    const error = await failureOf(() => sub.subscribe('good', 5 as never))
    expect([error.code, error.syscall]).toEqual(['EINVAL', 'subscribe'])
  })
})

describe('requests', () => {
  test('are sent again when no reply comes', async () => {
    await using req = new Req({ resendInterval: 20 })
    await using rep = new Rep()
    connectAll('tcp://127.0.0.1:0', rep, req)
    await req.send('again')
    expect(String(await rep.receive())).toBe('again')
    expect(String(await rep.receive())).toBe('again')
    await rep.send('at last')
    expect(String(await req.receive())).toBe('at last')
  })

  test('are sent to another Rep when theirs goes away', async () => {
    await using req = new Req()
    const first = new Rep()
    await using second = new Rep()
    req.connect(first.bind('tcp://127.0.0.1:0').address)
    await req.send('stubborn')
    expect(String(await first.receive())).toBe('stubborn')
    req.connect(second.bind('tcp://127.0.0.1:0').address)
    await first.close()
    expect(String(await second.receive())).toBe('stubborn')
    await second.send('here')
    expect(String(await req.receive())).toBe('here')
  })

  test('that are given up are not answered', async () => {
    await using req = new Req()
    await using rep = new Rep()
    connectAll('tcp://127.0.0.1:0', rep, req)
    await req.send('old')
    expect(String(await rep.receive())).toBe('old')
    await req.send('new')
    await rep.send('to old')
    expect(String(await rep.receive())).toBe('new')
    await rep.send('to new')
    expect(String(await req.receive())).toBe('to new')
  })
})

test('what a class cannot do is not there', () => {
  const names = (socket: object) => ['send', 'trySend', 'receive', 'batches'].filter((name) => name in socket)
  expect(names(new Push())).toEqual(['send', 'trySend'])
  expect(names(new Pub())).toEqual(['send', 'trySend'])
  expect(names(new Pull())).toEqual(['receive', 'batches'])
  expect(names(new Sub())).toEqual(['receive', 'batches'])
})
