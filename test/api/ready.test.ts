/** Waiting for peers: ready(). */
import { Pair, Pub, Pull, Push, Sub } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll, failureOf, runProgram, transports, turn } from './support.js'

describe.each(transports)('over $scheme', ({ address }) => {
  test('both sides are ready when they are connected', async () => {
    await using push = new Push()
    await using pull = new Pull()
    const waits = [push.ready(), pull.ready()]
    let isReady = false
    void Promise.all(waits).then(() => {
      isReady = true
    })
    const { address: bound } = pull.bind(address())
    await turn()
    expect(isReady).toBe(false)
    push.connect(bound)
    await Promise.all(waits)
    expect(push.trySend('at once')).toBe(true)
    expect(String(await pull.receive())).toBe('at once')
  })

  test('Subs miss nothing of a Pub that has waited for them', async () => {
    await using pub = new Pub()
    const subs = Array.from({ length: 3 }, () => new Sub().subscribe('news'))
    connectAll(address(), pub, ...subs)
    await pub.ready({ peers: 3 })
    await pub.send('news: first')
    for (const sub of subs) expect(String(await sub.receive())).toBe('news: first')
    await Promise.all(subs.map((sub) => sub.close()))
  })
})

describe('ready', () => {
  test('waits for as many as are asked for, and each call for its own', async () => {
    await using pull = new Pull()
    const { address } = pull.bind('inproc://as-many')
    const order: number[] = []
    const waits = [3, 1, 2].map((peers) => pull.ready({ peers }).then(() => order.push(peers)))
    const pushes: Push[] = []
    for (const expected of [[1], [1, 2], [1, 2, 3]]) {
      const push = new Push()
      pushes.push(push)
      push.connect(address)
      await pull.ready({ peers: pushes.length })
      await turn()
      expect(order).toEqual(expected)
    }
    await Promise.all(waits)
    await pull.ready({ peers: 3, timeout: 0 }) // they are there
    await pull.ready({ peers: 0, timeout: 0 })
    await Promise.all(pushes.map((push) => push.close()))
  })

  test('waits again for peers that have gone', async () => {
    await using pull = new Pull()
    const { address } = pull.bind('inproc://come-and-go')
    const first = new Push()
    first.connect(address)
    await pull.ready()
    await first.close()
    expect((await failureOf(() => pull.ready({ timeout: 1 }))).code).toBe('ETIMEDOUT')
    await using second = new Push()
    const ready = pull.ready()
    second.connect(address)
    await ready
  })

  test('says when it times out how many there are, and what has failed', async () => {
    const unbound = new Pull()
    const { address } = unbound.bind('tcp://127.0.0.1:0')
    await unbound.close()
    await using push = new Push({ reconnectInterval: 1 })
    push.connect(address)
    const error = await failureOf(() => push.ready({ peers: 2, timeout: 100 }))
    expect([error.code, error.syscall]).toEqual(['ETIMEDOUT', 'ready'])
    expect(error.message).toContain('0 of 2 peers are connected; the last failure: ECONNREFUSED')
    expect(error.message).toContain(address)
    expect((await failureOf(() => push.ready({ timeout: 0 }))).code).toBe('ETIMEDOUT')
  })

  test('is given up by a signal, with its reason', async () => {
    await using pull = new Pull()
    const controller = new AbortController()
    const reason = new Error('enough')
    const ready = pull.ready({ signal: controller.signal })
    controller.abort(reason)
    await expect(ready).rejects.toBe(reason)
    await expect(pull.ready({ signal: controller.signal })).rejects.toBe(reason)
  })

  test('fails with EBADF when the socket closes, and afterwards', async () => {
    const pull = new Pull()
    const ready = failureOf(() => pull.ready())
    await pull.close()
    expect(await ready).toMatchObject({ code: 'EBADF', syscall: 'ready' })
    expect(await failureOf(() => pull.ready())).toMatchObject({ code: 'EBADF', syscall: 'ready' })
  })

  test.each([
    [{ peers: -1 }, 'peers'],
    [{ peers: 1.5 }, 'peers'],
    [{ peers: '1' }, 'peers'],
    [{ timeout: -2 }, 'timeout'],
    [{ signal: 1 }, 'signal'],
    [5, 'options'],
    [null, 'options'],
  ])('refuses %j', async (options, name) => {
    await using pair = new Pair()
    const error = await failureOf(() => pair.ready(options as never))
    expect([error.code, error.syscall]).toEqual(['EINVAL', 'ready'])
    expect(error.message).toContain(`${name} must be`)
  })

  test('goes on beside listeners and iterations, which hear of everything', async () => {
    await using pull = new Pull()
    const heard: string[] = []
    pull.on('connect', () => heard.push('listener'))
    const events = pull.events()
    await using push = new Push()
    push.connect(pull.bind('inproc://beside').address)
    await pull.ready()
    expect((await events.next()).value).toMatchObject({ type: 'connect' })
    expect(heard).toEqual(['listener'])
    await pull.ready()
    await push.close()
    expect((await events.next()).value).toMatchObject({ type: 'disconnect' })
  })
})

test('a process goes on while it waits for peers, unless the socket is unreferenced', async () => {
  const text = (call: string) => `
    const { Pull, Push } = require('nanomsg-native')
    const pull = new Pull()${call}; pull.bind('inproc://late')
    pull.ready().then(() => console.log('ready'))
    setTimeout(() => new Push().connect('inproc://late'), 50).unref()`
  expect(await runProgram(text(''))).toMatchObject({ exitCode: 0, stdout: 'ready\n' })
  expect(await runProgram(text('.unref()'))).toMatchObject({ exitCode: 0, stdout: '' })
})
