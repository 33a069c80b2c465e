import * as nano from 'nanomsg-native/compat'
import { describe, expect, test } from 'vitest'
import { transports, turn, until } from '../api/support.js'
import { bindAny, bindTcp, errorOf, newAddress, Sockets, text, texts, uncaught } from './support.js'

describe('send', () => {
  test('returns the length of what it is given, and sends its text or bytes', async () => {
    using sockets = new Sockets()
    const [left, right] = sockets.connected('pair', 'pair') as [nano.Socket, nano.Socket]
    const messages = [
      ['ä€', 2, 'ä€'],
      [Buffer.from('xyz').subarray(1), 2, 'yz'],
      [new Uint8Array([65, 66]), 2, 'AB'],
      [new DataView(new Uint8Array([65, 66, 67]).buffer, 1), undefined, 'BC'],
      ['', 0, ''],
      [2 ** 42, undefined, '4398046511104'],
      [true, undefined, 'true'],
      [[1, 2], 2, '1,2'],
      [{}, undefined, '[object Object]'],
    ] as const
    const received = texts(right, messages.length)
    expect(messages.map(([message]) => left.send(message))).toEqual(messages.map(([, length]) => length))
    expect(await received).toEqual(messages.map(([, , sent]) => sent))
  })

  test('throws what has neither', () => {
    using sockets = new Sockets()
    const socket = sockets.open('pub')
    for (const message of [null, undefined, Symbol('x')]) expect(() => socket.send(message)).toThrow(TypeError)
    expect(socket.queue).toEqual([])
  })

  // However long the program is busy before it sends: a thread of the npm package makes connections meanwhile.
  test.each(transports)('reaches a peer that connects in the same tick over $scheme', async ({ address }) => {
    using sockets = new Sockets()
    const [pub, sub] = [sockets.open('pub'), sockets.open('sub')]
    sub.connect(bindAny(pub, address()))
    const received = text(sub)
    pub.send('at once')
    expect(pub.queue).toEqual([['at once', undefined]])
    expect(await received).toBe('at once')
    expect(pub.queue).toEqual([])
  })

  test('waits for a peer, and keeps the order', async () => {
    using sockets = new Sockets()
    const push = sockets.open('push')
    for (let i = 0; i < 5000; i++) push.send(`message ${i}`)
    await turn()
    expect(push.queue.length).toBe(5000)
    const pull = sockets.open('pull')
    const received = texts(pull, 5000)
    const address = newAddress()
    push.bind(address)
    pull.connect(address)
    expect(await received).toEqual(Array.from({ length: 5000 }, (_, i) => `message ${i}`))
    await until(() => push.queue.length === 0)
  })

  test('of large and small messages keeps the order over tcp', async () => {
    using sockets = new Sockets()
    const [push, pull] = [sockets.open('push'), sockets.open('pull')]
    pull.connect(bindTcp(push))
    const bodies = Array.from({ length: 300 }, (_, i) => `${i}`.padEnd(i % 3 === 0 ? 50_000 : 20))
    const received = texts(pull, bodies.length)
    for (const body of bodies) push.send(body)
    expect(await received).toEqual(bodies)
  })

  test('and flush hand over all at once', async () => {
    using sockets = new Sockets()
    const [push, pull] = [sockets.open('push'), sockets.open('pull')]
    for (let i = 0; i < 10; i++) push.send(`${i}`)
    push.flush()
    expect(push.queue).toEqual([])
    const address = newAddress()
    pull.bind(address)
    const received = texts(pull, 10)
    push.connect(address)
    expect(await received).toEqual([...'0123456789'])
  })

  test('and close in the same tick deliver what was sent', async () => {
    using sockets = new Sockets()
    const [pull, push] = sockets.connected('pull', 'push') as [nano.Socket, nano.Socket]
    const received = texts(pull, 3)
    for (const body of ['a', 'b', 'c']) push.send(body)
    push.close()
    expect(await received).toEqual(['a', 'b', 'c'])
  })

  test('at a closed socket does nothing', async () => {
    const push = nano.socket('push')
    push.close()
    expect(push.send('x')).toBe(1)
    push.flush()
    await turn()
    expect(push.queue.length).toBe(1)
  })
})

describe('a message', () => {
  test('is a Buffer with memory of its own', async () => {
    using sockets = new Sockets()
    const [left, right] = sockets.connected('pair', 'pair') as [nano.Socket, nano.Socket]
    const received: Buffer[] = []
    right.on('data', (message) => received.push(message))
    for (const length of [0, 5, 3000, 100_000]) left.send(Buffer.alloc(length, 7))
    await until(() => received.length === 4)
    expect(received.every(Buffer.isBuffer)).toBe(true)
    expect(received.map(({ byteOffset, buffer }) => [byteOffset, buffer.byteLength])).toEqual([
      [0, 0],
      [0, 5],
      [0, 3000],
      [0, 100_000],
    ])
    structuredClone(received[1]!.buffer, { transfer: [received[1]!.buffer as ArrayBuffer] })
  })

  test('is text where an encoding is set', async () => {
    using sockets = new Sockets()
    const left = sockets.open('pair')
    const right = sockets.open('pair', { encoding: 'utf8' })
    const address = newAddress()
    left.bind(address)
    right.connect(address)
    const received: unknown[] = []
    right.on('data', (message) => received.push(message))
    for (const body of ['x', 'ä', '', 'z']) left.send(body)
    await until(() => received.length === 4)
    expect(received).toEqual(['x', 'ä', '', 'z'])
  })

  test('goes through transform and restore, of the socket or of all sockets', async () => {
    using sockets = new Sockets()
    const [left, right] = sockets.connected('pair', 'pair') as [nano.Socket, nano.Socket]
    nano.Socket.prototype.transform = (message) => Buffer.from(`T${message}`)
    try {
      right.restore = function (this: nano.Socket, message: Buffer) {
        return `R${message}${this === right}`
      }
      const received = text(right)
      expect(left.send('x')).toBe(1)
      expect(left.queue).toEqual([['x', undefined]])
      expect(await received).toBe('RTxtrue')
    } finally {
      delete nano.Socket.prototype.transform
    }
  })

  test('whose transform throws is lost, and what follows is sent', async () => {
    using sockets = new Sockets()
    const [left, right] = sockets.connected('pair', 'pair') as [nano.Socket, nano.Socket]
    left.transform = (message) => {
      if (message === '2') throw new Error('no second message')
      return message
    }
    const received = texts(right, 2)
    for (const body of ['1', '2', '3']) left.send(body)
    expect(await uncaught()).toEqual(new Error('no second message'))
    expect(await received).toEqual(['1', '3'])
  })

  test('waits for a listener, however long', async () => {
    using sockets = new Sockets()
    const [pull, push] = sockets.connected('pull', 'push') as [nano.Socket, nano.Socket]
    for (let i = 0; i < 100; i++) push.send(`${i}`)
    await until(() => pull.readableLength === 100)
    expect(await texts(pull, 100)).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`))
  })

  test('is not delivered when a listener of the one before has closed the socket', async () => {
    using sockets = new Sockets()
    const [pull, push] = sockets.connected('pull', 'push') as [nano.Socket, nano.Socket]
    const received: string[] = []
    pull.on('data', (message) => {
      received.push(String(message))
      pull.close()
    })
    for (const body of ['1', '2', '3']) push.send(body)
    await until(() => pull.closed)
    await turn()
    expect(received).toEqual(['1'])
  })
})

describe('a rep', () => {
  test('hears the next request when it has replied', async () => {
    using sockets = new Sockets()
    const [rep, first, second] = sockets.connected('rep', 'req', 'req') as [nano.Socket, nano.Socket, nano.Socket]
    const requests: string[] = []
    rep.on('data', (request) => requests.push(String(request)))
    first.send('one')
    second.send('two')
    await until(() => requests.length === 1)
    await turn()
    expect(requests.length).toBe(1)
    const replies = Promise.all([text(first), text(second)])
    rep.send('reply')
    await until(() => requests.length === 2)
    rep.send('reply')
    expect(await replies).toEqual(['reply', 'reply'])
    expect(requests.sort()).toEqual(['one', 'two'])
  })

  test('replies with what was sent before it was asked', async () => {
    using sockets = new Sockets()
    const [rep, req] = sockets.connected('rep', 'req') as [nano.Socket, nano.Socket]
    rep.on('data', () => {})
    rep.send('early')
    await turn()
    expect(rep.queue.length).toBe(1)
    req.send('question')
    expect(await text(req)).toBe('early')
  })

  test('that replies twice emits an error, and goes on', async () => {
    using sockets = new Sockets()
    const [rep, req] = sockets.connected('rep', 'req') as [nano.Socket, nano.Socket]
    rep.on('data', (request) => {
      rep.send(`${request}!`)
      if (String(request) === 'one') rep.send('again')
    })
    const emitted = errorOf(rep)
    req.send('one')
    expect(await text(req)).toBe('one!')
    expect((await emitted).message).toBe('Operation cannot be performed in this state')
    req.send('two')
    expect(await text(req)).toBe('two!')
  })
})

test('a listener that throws ends the process, or messages go on when that is dealt with', async () => {
  using sockets = new Sockets()
  const [pull, push] = sockets.connected('pull', 'push') as [nano.Socket, nano.Socket]
  const received: string[] = []
  pull.on('data', (message) => {
    received.push(String(message))
    if (received.length === 1) throw new Error('of the listener')
  })
  for (const body of ['1', '2', '3']) push.send(body)
  const error = uncaught()
  // What is received by then has to be seen at once: a promise goes on later.
  const receivedBefore = new Promise((resolve) => process.once('uncaughtException', () => resolve([...received])))
  expect(await error).toEqual(new Error('of the listener'))
  expect(await receivedBefore).toEqual(['1'])
  await until(() => received.length === 3)
  expect(received).toEqual(['1', '2', '3'])
})
