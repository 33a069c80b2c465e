import { getEventListeners } from 'node:events'
import { Pair, Pull, Push, Rep, Req } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll, failureOf, runProgram, turn } from './support.js'

describe('a timeout', () => {
  test('ends waiting for a message', async () => {
    await using pull = new Pull()
    const error = await failureOf(() => pull.receive({ timeout: 10 }))
    expect([error.code, error.syscall]).toEqual(['ETIMEDOUT', 'receive'])
  })

  test('ends waiting for a peer, and the message is not sent', async () => {
    await using push = new Push()
    await using pull = new Pull()
    expect((await failureOf(() => push.send('late', { timeout: 10 }))).code).toBe('ETIMEDOUT')
    connectAll('tcp://127.0.0.1:0', pull, push)
    await push.send('in time')
    expect(String(await pull.receive())).toBe('in time')
  })

  test('is an option of the socket, which the call overrides', async () => {
    await using pair = new Pair({ sendTimeout: 10, receiveTimeout: 10 })
    expect((await failureOf(() => pair.receive())).code).toBe('ETIMEDOUT')
    expect((await failureOf(() => pair.send('x'))).code).toBe('ETIMEDOUT')
    pair.receiveTimeout = -1
    expect((await failureOf(() => pair.receive({ timeout: 10 }))).code).toBe('ETIMEDOUT')
  })

  test('of 0 does not wait, and takes what is there', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll('inproc://timeout-0', pull, push)
    expect((await failureOf(() => pull.receive({ timeout: 0 }))).code).toBe('ETIMEDOUT')
    await push.send('there', { timeout: 0 })
    await turn()
    expect(String(await pull.receive({ timeout: 0 }))).toBe('there')
    await using lonely = new Push({ sendTimeout: 0 })
    expect((await failureOf(() => lonely.send('x'))).code).toBe('ETIMEDOUT')
  })

  test('of 0 takes all that is there, however much it is', async () => {
    await using push = new Push({ sendBuffer: 10_000_000 })
    await using pull = new Pull({ receiveBuffer: 10_000_000, receiveTimeout: 0 })
    connectAll('inproc://timeout-0-many', pull, push)
    await push.send('0')
    for (let i = 1; i < 20_000; i++) void push.send(`${i}`)
    await turn()
    for (let i = 0; i < 10_000; i++) expect(String(pull.tryReceive())).toBe(`${i}`)
    for (let i = 10_000; i < 20_000; i++) expect(String(await pull.receive())).toBe(`${i}`)
    expect(pull.tryReceive()).toBeUndefined()
  })

  test('ends calls in the order of their timeouts, not of the calls', async () => {
    await using pull = new Pull()
    const ended: number[] = []
    const calls = [40, 20, 1].map((timeout) =>
      pull.receive({ timeout }).catch(() => {
        ended.push(timeout)
      }),
    )
    await Promise.all(calls)
    expect(ended).toEqual([1, 20, 40])
  })

  // In a program of its own: the test runner has timers, too.
  test('that has not passed when the message comes leaves no timer behind', async () => {
    const { stdout } = await runProgram(`
      const { Pull, Push } = require('nanomsg-native')
      const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
      void (async () => {
        const pull = new Pull()
        const push = new Push()
        push.connect(pull.bind('inproc://no-timer').address)
        const counts = [timers()]
        const received = pull.receive({ timeout: 60_000 })
        counts.push(timers())
        await push.send('x', { timeout: 60_000 })
        await received
        counts.push(timers())
        console.log(String(counts))
        await Promise.all([push.close(), pull.close()])
      })()`)
    expect(stdout).toBe('0,1,0\n')
  })

  test('takes no message with it', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll('tcp://127.0.0.1:0', pull, push)
    const late = failureOf(() => pull.receive({ timeout: 10 }))
    expect((await late).code).toBe('ETIMEDOUT')
    await push.send('for the next')
    expect(String(await pull.receive())).toBe('for the next')
  })

  test('may be longer than timers of Node.js can be', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll('tcp://127.0.0.1:0', pull, push)
    const received = pull.receive({ timeout: 2 ** 40 })
    await push.send('x')
    expect(String(await received)).toBe('x')
  })
})

describe('a signal', () => {
  test('ends waiting with its reason', async () => {
    await using pair = new Pair()
    const controller = new AbortController()
    const calls = [pair.receive({ signal: controller.signal }), pair.send('x', { signal: controller.signal })]
    const reason = new Error('changed my mind')
    controller.abort(reason)
    for (const call of calls) await expect(call).rejects.toBe(reason)
  })

  test('that is aborted already ends the call before it begins', async () => {
    await using left = new Pair()
    await using right = new Pair()
    connectAll('inproc://aborted', left, right)
    await expect(left.send('x', { signal: AbortSignal.abort('no') })).rejects.toBe('no')
    await left.send('y')
    await expect(right.receive({ signal: AbortSignal.abort('no') })).rejects.toBe('no')
    expect(String(await right.receive())).toBe('y')
  })

  test('can be used for many calls without a trace', async () => {
    await using left = new Pair()
    await using right = new Pair()
    connectAll('tcp://127.0.0.1:0', left, right)
    const { signal } = new AbortController()
    for (let i = 0; i < 100; i++) {
      const received = right.receive({ signal })
      await left.send(`${i}`, { signal })
      expect(String(await received)).toBe(`${i}`)
    }
  })

  test('ends its own call only', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll('tcp://127.0.0.1:0', pull, push)
    const controller = new AbortController()
    const calls = [pull.receive(), pull.receive({ signal: controller.signal, timeout: 5000 }), pull.receive()]
    controller.abort('no more')
    await expect(calls[1]).rejects.toBe('no more')
    await push.send('1')
    await push.send('2')
    expect([String(await calls[0]), String(await calls[2])]).toEqual(['1', '2'])
  })

  test('that is aborted when the call has ended does nothing', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll('inproc://aborted-late', pull, push)
    const controller = new AbortController()
    const received = pull.receive({ signal: controller.signal })
    await push.send('x', { signal: controller.signal })
    expect(String(await received)).toBe('x')
    const next = pull.receive()
    controller.abort('too late')
    await push.send('y')
    expect(String(await next)).toBe('y')
  })

  test('is let go of when the call has ended', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll('inproc://let-go', pull, push)
    const { signal } = new AbortController()
    for (let i = 0; i < 5; i++) {
      const received = pull.receive({ signal })
      expect(getEventListeners(signal, 'abort').length).toBe(1)
      await push.send('x', { signal })
      await received
      expect(getEventListeners(signal, 'abort').length).toBe(0)
    }
  })

  test('of a timeout rejects with a TimeoutError', async () => {
    await using pair = new Pair()
    await expect(pair.receive({ signal: AbortSignal.timeout(5) })).rejects.toMatchObject({ name: 'TimeoutError' })
  })
})

describe('closing', () => {
  test('ends every call that waits with EBADF', async () => {
    const pair = new Pair()
    const calls = [pair.receive(), pair.receive({ timeout: 10_000 }), pair.send('x')].map((call) =>
      failureOf(() => call),
    )
    await pair.close()
    for (const call of calls) expect((await call).code).toBe('EBADF')
  })

  test('ends calls at once, and signals and timers have no say afterwards', async () => {
    const pull = new Pull()
    const controller = new AbortController()
    const received = failureOf(() => pull.receive({ signal: controller.signal, timeout: 1 }))
    void pull.close()
    controller.abort('too late')
    const error = await received
    expect([error.code, error.syscall]).toEqual(['EBADF', 'receive'])
    expect(error.message).toContain('the socket is closed')
  })
})

describe('calls that wait', () => {
  test('get messages first come, first served', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll('tcp://127.0.0.1:0', pull, push)
    const received = [pull.receive(), pull.receive({ timeout: 5000 }), pull.receive()]
    for (const text of ['1', '2', '3']) await push.send(text)
    expect((await Promise.all(received)).map(String)).toEqual(['1', '2', '3'])
  })

  test('send in the order of the calls', async () => {
    await using push = new Push()
    await using pull = new Pull()
    const sent = Array.from({ length: 100 }, (_, i) => push.send(`${i}`))
    expect(push.trySend('overtakes')).toBe(false)
    connectAll('tcp://127.0.0.1:0', pull, push)
    for (let i = 0; i < 100; i++) expect(String(await pull.receive())).toBe(`${i}`)
    await Promise.all(sent)
    expect(pull.tryReceive()).toBeUndefined()
  })
})

test('a Req without a request and a Rep without one do not wait', async () => {
  await using req = new Req()
  await using rep = new Rep()
  expect((await failureOf(() => req.receive())).code).toBe('EFSM')
  expect((await failureOf(() => req.tryReceive())).code).toBe('EFSM')
  expect((await failureOf(() => rep.send('x'))).code).toBe('EFSM')
  expect((await failureOf(() => rep.trySend('x'))).code).toBe('EFSM')
})
