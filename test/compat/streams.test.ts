import { once } from 'node:events'
import { PassThrough, Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type * as nano from 'nanomsg-native/compat'
import { expect, test } from 'vitest'
import { until } from '../api/support.js'
import { newAddress, Sockets, text, texts } from './support.js'

test('a stream that is piped into a socket is sent, and the socket stays open', async () => {
  using sockets = new Sockets()
  const [pull, push] = sockets.connected('pull', 'push') as [nano.Socket, nano.Socket]
  const received = texts(pull, 4)
  await once(Readable.from(['x', 'y', 'z']).pipe(push), 'finish')
  push.send('after the end')
  expect(await received).toEqual(['x', 'y', 'z', 'after the end'])
  expect([push.closed, push.destroyed]).toEqual([false, false])
})

test('write and end send, and call back', async () => {
  using sockets = new Sockets()
  const [pull, push] = sockets.connected('pull', 'push') as [nano.Socket, nano.Socket]
  const received = texts(pull, 3)
  expect(push.write('one')).toBe(true)
  await new Promise((resolve) => push.write(Buffer.from('two'), resolve))
  push.end('three')
  expect(await received).toEqual(['one', 'two', 'three'])
})

test('sockets are piped into each other', async () => {
  using sockets = new Sockets()
  const [pub, sub] = sockets.connected('pub', 'sub') as [nano.Socket, nano.Socket]
  const [pull, push] = sockets.connected('pull', 'push') as [nano.Socket, nano.Socket]
  sub.pipe(push)
  const received = texts(pull, 1000)
  for (let i = 0; i < 1000; i++) pub.send(`${i}`)
  expect(await received).toEqual(Array.from({ length: 1000 }, (_, i) => `${i}`))
})

test('messages go through transforms', async () => {
  using sockets = new Sockets()
  const [pub, sub] = sockets.connected('pub', 'sub') as [nano.Socket, nano.Socket]
  const cheers = new Transform({
    transform(message, _, callback) {
      callback(null, `${message} and cheers!`)
    },
  })
  const out = sub.pipe(cheers).pipe(new PassThrough())
  pub.send('hello')
  expect(String((await once(out, 'data'))[0])).toBe('hello and cheers!')
})

test('messages are read when the socket is readable', async () => {
  using sockets = new Sockets()
  const [pull, push] = sockets.connected('pull', 'push') as [nano.Socket, nano.Socket]
  const received: string[] = []
  pull.on('readable', () => {
    for (let message = pull.read(); message !== null; message = pull.read()) received.push(String(message))
  })
  push.send('a')
  push.send('b')
  await until(() => received.length === 2)
  expect(received).toEqual(['a', 'b'])
})

test('an iteration that is left closes the socket', async () => {
  using sockets = new Sockets()
  const [pull, push] = sockets.connected('pull', 'push') as [nano.Socket, nano.Socket]
  for (const body of ['a', 'b', 'c']) push.send(body)
  const received: string[] = []
  for await (const message of pull) {
    received.push(String(message))
    if (received.length === 2) break
  }
  expect([received, pull.destroyed, pull.closed]).toEqual([['a', 'b'], true, true])
})

test('a pipeline that fails closes the socket', async () => {
  using sockets = new Sockets()
  const [pull, push] = sockets.connected('pull', 'push') as [nano.Socket, nano.Socket]
  const failing = new Transform({
    objectMode: true,
    transform: (_message, _, callback) => callback(new Error('failed')),
  })
  const ended = pipeline(pull, failing, new PassThrough({ objectMode: true }))
  push.send('x')
  await expect(ended).rejects.toThrow('failed')
  expect(pull.closed).toBe(true)
})

test('pause and resume hold messages back', async () => {
  using sockets = new Sockets()
  const [pull, push] = [sockets.open('pull'), sockets.open('push')]
  const address = newAddress()
  pull.bind(address)
  push.connect(address)
  const received: string[] = []
  pull.on('data', (message) => {
    received.push(String(message))
    pull.pause()
  })
  push.send('a')
  push.send('b')
  await until(() => pull.readableLength === 1)
  expect(received).toEqual(['a'])
  const next = text(pull)
  pull.resume()
  expect(await next).toBe('b')
})
