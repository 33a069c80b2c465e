// However busy some sockets are, the rest of the program goes on: timers, files, other sockets.
import { readFile } from 'node:fs/promises'
import { Bus, Pair, Pub, Pull, Push, Rep, Req } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll, transports } from './support.js'

/** What a program does besides: a timer that fires, a file that is read, a turn of the event loop, again and again. */
async function theRest(): Promise<void> {
  for (let i = 0; i < 10; i++) {
    await new Promise((resolve) => setTimeout(resolve, 1))
    await readFile(__filename)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Runs `work` over and over while the rest of the program has its turns. */
async function besides(work: () => Promise<unknown>, rest = theRest): Promise<void> {
  let isOver = false
  const working = (async () => {
    while (!isOver) await work()
  })()
  await rest()
  isOver = true
  await working
}

describe.each(transports)('the rest of a program goes on, over $scheme,', ({ address }) => {
  test('while messages are sent and received one by one', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll(address(), pull, push)
    await besides(async () => {
      await push.send('x')
      await pull.receive()
    })
  })

  test('while requests are answered as fast as they come', async () => {
    await using req = new Req()
    await using rep = new Rep()
    connectAll(address(), rep, req)
    void (async () => {
      for await (const request of rep) await rep.send(request)
    })()
    await besides(async () => {
      await req.send('x')
      await req.receive()
    })
  })

  test('while two Pairs play ball with many balls', async () => {
    await using left = new Pair()
    await using right = new Pair()
    connectAll(address(), left, right)
    const playing = [left, right].map(async (pair) => {
      for await (const ball of pair) await pair.send(ball)
    })
    for (let i = 0; i < 100; i++) await left.send(`${i}`)
    await theRest()
    await Promise.all([left.close({ linger: 0 }), right.close({ linger: 0 })])
    // A player that was about to send hears of the end.
    for (const result of await Promise.allSettled(playing)) {
      if (result.status === 'rejected') expect(result.reason.code).toBe('EBADF')
    }
  })

  test('while batches are received', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll(address(), pull, push)
    let received = 0
    const receiving = (async () => {
      for await (const messages of pull.batches()) received += messages.length
    })()
    await besides(() => push.send('x'))
    await pull.close()
    await receiving
    expect(received).toBeGreaterThan(0)
  })
})

test('the rest of a program goes on while a Pub publishes without subscribers', async () => {
  await using pub = new Pub()
  await besides(() => pub.send('x'))
})

test('the rest of a program goes on while a Bus sends without neighbours', async () => {
  await using bus = new Bus()
  await besides(() => bus.send('x'))
})

test('a flooded socket leaves others their turn', async () => {
  await using flood = new Push()
  await using flooded = new Pull()
  connectAll('tcp://127.0.0.1:0', flooded, flood)
  void (async () => {
    for await (const _message of flooded);
  })()
  const pairs = Array.from({ length: 10 }, () => {
    const both = { left: new Pair(), right: new Pair() }
    connectAll('tcp://127.0.0.1:0', both.left, both.right)
    return both
  })
  await besides(
    () => flood.send('x'),
    async () => {
      for (let i = 0; i < 5; i++) {
        for (const { left, right } of pairs) {
          await left.send(`${i}`)
          expect(String(await right.receive())).toBe(`${i}`)
        }
      }
    },
  )
  await Promise.all(pairs.flatMap(({ left, right }) => [left.close(), right.close()]))
})

test('of sockets that are all flooded none is left out', async () => {
  const pipelines = Array.from({ length: 5 }, () => ({ push: new Push(), pull: new Pull(), received: 0 }))
  let isOver = false
  const working = pipelines.flatMap((pipeline) => {
    const { push, pull } = pipeline
    connectAll('tcp://127.0.0.1:0', pull, push)
    return [
      (async () => {
        while (!isOver) await push.send('x')
      })(),
      (async () => {
        for await (const messages of pull.batches()) {
          pipeline.received += messages.length
          if (pipelines.every(({ received }) => received > 1000)) isOver = true
        }
      })(),
    ]
  })
  while (!isOver) await theRest()
  await Promise.all(pipelines.map(({ pull }) => pull.close()))
  await Promise.all(pipelines.map(({ push }) => push.close({ linger: 0 })))
  await Promise.allSettled(working)
  expect(Math.min(...pipelines.map(({ received }) => received))).toBeGreaterThan(1000)
})

/** Keeps the thread busy. */
function work(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

test('the event loop turns while hundreds of requests wait that each take a while', async () => {
  await using rep = new Rep()
  await using req = new Req()
  connectAll('inproc://busy-handlers', rep, req)
  await req.ready()
  const replies = Array.from({ length: 400 }, () => req.request('x'))
  await theRest() // all of them wait in the Rep
  let turn = 0
  const turns = new Set<number>()
  const timer = setInterval(() => turn++)
  void rep.serve((body) => {
    turns.add(turn)
    work(0.5)
    return body
  })
  await Promise.all(replies)
  clearInterval(timer)
  expect(turns.size).toBeGreaterThan(3)
})

test('a peer that asks much does not keep the request of another one waiting', async () => {
  await using rep = new Rep()
  await using busy = new Req()
  await using other = new Req()
  connectAll('inproc://asks-much', rep, busy, other)
  await Promise.all([busy.ready(), other.ready()])
  const replies = Array.from({ length: 60 }, () => busy.request('one of many'))
  await theRest()
  replies.push(other.request('the only one'))
  await theRest()
  const order: string[] = []
  void rep.serve((body) => {
    order.push(`${body}`)
    return body
  })
  await Promise.all(replies)
  expect(order.indexOf('the only one')).toBeLessThan(20)
})

test('the event loop turns after a few requests where they are long, as are their replies', async () => {
  await using rep = new Rep()
  const reqs = Array.from({ length: 40 }, () => new Req())
  connectAll('inproc://long-requests', rep, ...reqs)
  await Promise.all(reqs.map((req) => req.ready()))
  const replies = reqs.map((req) => req.request(Buffer.alloc(64 * 1024)))
  await theRest() // all of them wait in the Rep
  const turns: number[] = [0]
  let isOver = false
  const count = () => {
    if (isOver) return
    turns.push(0)
    setImmediate(count)
  }
  count()
  void rep.serve((body) => {
    turns.push(turns.pop()! + 1)
    return body
  })
  await Promise.all(replies)
  isOver = true
  expect(Math.max(...turns)).toBeLessThanOrEqual(8)
  await Promise.all(reqs.map((req) => req.close()))
})

test('the rest of a program goes on while messages are sent that take long', async () => {
  await using pub = new Pub()
  pub.bind('tcp://127.0.0.1:0')
  const body = 'ä'.repeat(30_000)
  let sentInTurn = 0
  let most = 0
  await besides(
    async () => {
      await pub.send(body)
      most = Math.max(most, ++sentInTurn)
    },
    async () => {
      for (let i = 0; i < 10; i++) {
        await new Promise((resolve) => setImmediate(resolve))
        sentInTurn = 0
      }
    },
  )
  // 8,192 of short messages.
  expect(most).toBeLessThan(4096)
})
