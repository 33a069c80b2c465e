import { createServer } from 'node:net'
import { Pair, Pull, Push } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll, transports } from './support.js'

describe.each(transports)('over $scheme', ({ address }) => {
  test('what was accepted is delivered, although its socket is closed', async () => {
    const push = new Push({ linger: 10_000 })
    await using pull = new Pull()
    connectAll(address(), pull, push)
    await push.send('first')
    let sent = 1
    while (push.trySend(Buffer.alloc(50_000, 'x')) && sent < 200) sent++
    const closed = push.close()
    for (let i = 0; i < sent; i++) await pull.receive()
    await closed
    expect(pull.tryReceive()).toBeUndefined()
  })
})

test('close returns the same promise again, and may be called while it closes', async () => {
  const pair = new Pair()
  const closed = pair.close()
  expect(pair.close()).toBe(closed)
  await closed
  expect(pair.close()).toBe(closed)
})

test('a wrong linger is reported by the promise, and leaves the socket open', async () => {
  await using pair = new Pair()
  const closed = pair.close({ linger: 'long' as never })
  await expect(closed).rejects.toMatchObject({ code: 'EINVAL' })
  expect(pair.closed).toBe(false)
  expect(pair.linger).toBe(1000)
})

test('linger ends: a peer that never reads does not keep a socket', async () => {
  const server = createServer((socket) => {
    socket.write(Buffer.from('0053500000510000', 'hex'))
    socket.pause()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const push = new Push()
  push.connect(`tcp://127.0.0.1:${(server.address() as { port: number }).port}`)
  await push.send('x')
  while (push.trySend(Buffer.alloc(100_000)));
  await push.close({ linger: 20 })
  server.close()
})

test('a socket can be disposed of by its scope', async () => {
  let outer: Pair
  {
    await using pair = new Pair()
    outer = pair
  }
  expect(outer.closed).toBe(true)
})

test('a thousand sockets live side by side', async () => {
  const pulls = Array.from({ length: 500 }, () => new Pull())
  const pushes = Array.from({ length: 500 }, () => new Push())
  pulls.forEach((pull, i) => {
    pushes[i]!.connect(pull.bind(i % 2 === 0 ? 'tcp://127.0.0.1:0' : `inproc://many-${i}`).address)
  })
  await Promise.all(pushes.map((push, i) => push.send(`${i}`)))
  const received = await Promise.all(pulls.map((pull) => pull.receive()))
  expect(received.map(String)).toEqual(pushes.map((_, i) => `${i}`))
  await Promise.all([...pulls, ...pushes].map((socket) => socket.close()))
})
