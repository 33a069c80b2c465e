import { Pair, Pull, Push, Rep, Req } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll, failureOf } from './support.js'

describe('iterating over a socket', () => {
  test('gives messages until the socket is closed, and then ends quietly', async () => {
    await using push = new Push()
    const pull = new Pull()
    connectAll('tcp://127.0.0.1:0', pull, push)
    const received: string[] = []
    const iteration = (async () => {
      for await (const message of pull) {
        received.push(String(message))
        if (received.length === 3) void pull.close()
      }
    })()
    for (const text of ['a', 'b', 'c']) await push.send(text)
    await iteration
    expect(received).toEqual(['a', 'b', 'c'])
  })

  test('can be left, and taken up again without losing a message', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll('inproc://left', pull, push)
    for (let i = 0; i < 10; i++) await push.send(`${i}`)
    const received: string[] = []
    for await (const message of pull) {
      received.push(String(message))
      if (received.length === 4) break
    }
    received.push(String(await pull.receive()))
    for await (const message of pull) {
      received.push(String(message))
      if (received.length === 10) break
    }
    expect(received).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
    expect(pull.closed).toBe(false)
  })

  test('can be done twice at a time: each message goes to one of them', async () => {
    await using push = new Push()
    const pull = new Pull()
    connectAll('tcp://127.0.0.1:0', pull, push)
    const received: string[] = []
    const iterate = async () => {
      for await (const message of pull) {
        received.push(String(message))
        if (received.length === 100) void pull.close()
      }
    }
    const both = [iterate(), iterate()]
    for (let i = 0; i < 100; i++) await push.send(`${i}`)
    await Promise.all(both)
    expect(new Set(received).size).toBe(100)
  })

  test('that waits ends when the socket is closed', async () => {
    const pull = new Pull()
    const next = pull[Symbol.asyncIterator]().next()
    await pull.close()
    expect(await next).toEqual({ value: undefined, done: true })
    for await (const _ of pull) throw new Error('a closed socket has no messages')
  })

  test('can be left by an error of its own, and the socket stays as it is', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll('inproc://thrown', pull, push)
    await push.send('a')
    await push.send('b')
    const iterate = async () => {
      for await (const message of pull) throw new Error(`not ${message}`)
    }
    await expect(iterate()).rejects.toThrow('not a')
    expect(String(await pull.receive())).toBe('b')
  })

  test('is over for good once it has ended', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll('inproc://over', pull, push)
    const iterator = pull[Symbol.asyncIterator]()
    await push.send('a')
    expect(String((await iterator.next()).value)).toBe('a')
    expect(await iterator.return?.()).toEqual({ value: undefined, done: true })
    await push.send('b')
    expect(await iterator.next()).toEqual({ value: undefined, done: true })
    expect(String(await pull.receive())).toBe('b')
  })

  test('may be asked for several messages at a time: they come in order', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll('tcp://127.0.0.1:0', pull, push)
    const iterator = pull[Symbol.asyncIterator]()
    const results = [iterator.next(), iterator.next(), iterator.next()]
    for (const text of ['a', 'b', 'c']) await push.send(text)
    expect((await Promise.all(results)).map(({ value }) => String(value))).toEqual(['a', 'b', 'c'])
  })

  test('ends iterations quietly, and rejects calls of receive()', async () => {
    const pull = new Pull()
    const iterate = async () => {
      for await (const _ of pull);
      return 'quietly'
    }
    const iterations = [iterate(), iterate()]
    const received = failureOf(() => pull.receive())
    const iterateBatches = async () => {
      for await (const _ of pull.batches());
      return 'quietly'
    }
    iterations.push(iterateBatches())
    await pull.close()
    expect(await Promise.all(iterations)).toEqual(['quietly', 'quietly', 'quietly'])
    expect((await received).code).toBe('EBADF')
  })

  test('fails when waiting does', async () => {
    await using pull = new Pull({ receiveTimeout: 10 })
    const error = await failureOf(async () => {
      for await (const _ of pull);
    })
    expect(error.code).toBe('ETIMEDOUT')
    await using req = new Req()
    const iterate = async () => {
      for await (const _ of req);
    }
    expect((await failureOf(iterate)).code).toBe('EFSM')
  })

  test('over a Rep gives one request at a time, to be answered in the loop', async () => {
    const rep = new Rep()
    const reqs = Array.from({ length: 5 }, () => new Req())
    connectAll('tcp://127.0.0.1:0', rep, ...reqs)
    const serving = (async () => {
      for await (const request of rep) await rep.send(`re: ${request}`)
    })()
    await Promise.all(
      reqs.map(async (req, i) => {
        await req.send(`${i}`)
        expect(String(await req.receive())).toBe(`re: ${i}`)
        await req.close()
      }),
    )
    await rep.close()
    await serving
  })
})

describe('batches', () => {
  test('hold what there is, in order, and never nothing', async () => {
    await using push = new Push()
    const pull = new Pull()
    connectAll('tcp://127.0.0.1:0', pull, push)
    const sizes: number[] = []
    let next = 0
    const iteration = (async () => {
      for await (const messages of pull.batches()) {
        sizes.push(messages.length)
        for (const message of messages) expect(String(message)).toBe(`${next++}`)
        if (next === 3000) break
      }
    })()
    await push.send('0')
    for (let i = 1; i < 3000; i++) void push.send(`${i}`)
    await iteration
    expect(Math.min(...sizes)).toBeGreaterThan(0)
    expect(Math.max(...sizes)).toBeGreaterThan(10)
    await pull.close()
  })

  test('can be left in the middle: what follows is still there', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll('tcp://127.0.0.1:0', pull, push)
    const received: number[] = []
    await push.send('0')
    for (let i = 1; i < 2000; i++) void push.send(`${i}`)
    while (received.length < 1000) {
      for await (const messages of pull.batches()) {
        received.push(...messages.map(Number))
        break
      }
    }
    while (received.length < 2000) received.push(Number(await pull.receive()))
    expect(received).toEqual(Array.from({ length: 2000 }, (_, i) => i))
  })

  test('of a Rep have one request, since it must be answered first', async () => {
    const rep = new Rep()
    const reqs = Array.from({ length: 3 }, () => new Req())
    connectAll('inproc://batches-of-rep', rep, ...reqs)
    for (const [i, req] of reqs.entries()) await req.send(`${i}`)
    const sizes: number[] = []
    for await (const messages of rep.batches()) {
      sizes.push(messages.length)
      await rep.send(`re: ${messages[0]}`)
      if (sizes.length === 3) break
    }
    expect(sizes).toEqual([1, 1, 1])
    for (const [i, req] of reqs.entries()) expect(String(await req.receive())).toBe(`re: ${i}`)
    await Promise.all([rep, ...reqs].map((socket) => socket.close()))
  })

  test('fail when waiting does', async () => {
    await using pull = new Pull({ receiveTimeout: 5 })
    const error = await failureOf(async () => {
      for await (const _ of pull.batches());
    })
    expect([error.code, error.syscall]).toEqual(['ETIMEDOUT', 'receive'])
  })

  test('mix with single messages', async () => {
    await using left = new Pair()
    await using right = new Pair()
    connectAll('inproc://mixed', left, right)
    for (let i = 0; i < 6; i++) await left.send(`${i}`)
    expect(String(await right.receive())).toBe('0')
    expect(String(right.tryReceive())).toBe('1')
    const rest: string[] = []
    for await (const messages of right.batches()) {
      rest.push(...messages.map(String))
      if (rest.length === 4) break
    }
    expect(rest).toEqual(['2', '3', '4', '5'])
    expect(right.tryReceive()).toBeUndefined()
  })
})
