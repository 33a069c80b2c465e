import { Bus, Pair, Pub, Pull, Push } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll, failureOf, fill, transports, turn } from './support.js'

async function received(pull: Pull, count: number): Promise<string[]> {
  const texts: string[] = []
  for await (const messages of pull.batches()) {
    texts.push(...messages.map(String))
    if (texts.length >= count) break
  }
  return texts
}

describe.each(transports)('a batch over $scheme', ({ address }) => {
  test('arrives in order, whatever its bodies are made of', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll(address(), pull, push)
    const long = 'long'.repeat(20_000)
    await push.sendBatch([
      'text',
      Buffer.from('bytes'),
      ['parts ', Buffer.from('of one')],
      '',
      long,
      new Uint8Array(0),
      'end',
    ])
    expect(await received(pull, 7)).toEqual(['text', 'bytes', 'parts of one', '', long, '', 'end'])
  })

  test('may be of any length', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll(address(), pull, push)
    const bodies = Array.from({ length: 20_000 }, (_, i) => Buffer.from(`message ${i}`))
    const sending = push.sendBatch(bodies)
    expect(await received(pull, bodies.length)).toEqual(bodies.map(String))
    await sending
  })

  test('waits for a receiver that does not read, and goes on when it does', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll(address(), pull, push)
    const body = Buffer.alloc(10_000, '.')
    await push.send(body)
    const before = 1 + (await fill(push, body))
    let isSent = false
    const sending = push.sendBatch(['first', 'second', 'third']).then(() => {
      isSent = true
    })
    await turn()
    expect(isSent).toBe(false)
    const texts = await received(pull, before + 3)
    expect(texts.slice(before)).toEqual(['first', 'second', 'third'])
    await sending
  })
})

test('a batch that does not fit in time fails with ETIMEDOUT', async () => {
  await using push = new Push({ linger: 0 })
  const { code, syscall } = await failureOf(() => push.sendBatch(['a', 'b'], { timeout: 20 }))
  expect([code, syscall]).toEqual(['ETIMEDOUT', 'sendBatch'])
})

test('a batch can be given up while it waits', async () => {
  await using push = new Push({ linger: 0 })
  const controller = new AbortController()
  const sending = push.sendBatch(['a', 'b'], { signal: controller.signal })
  controller.abort(new Error('enough'))
  await expect(sending).rejects.toThrow('enough')
})

test('a batch that was given up before sends nothing', async () => {
  await using pair = new Pair()
  await using peer = new Pair()
  connectAll('inproc://given-up-before', pair, peer)
  await expect(pair.sendBatch(['never'], { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no')
  await pair.send('this')
  expect(String(await peer.receive())).toBe('this')
})

test('a batch that waits fails with EBADF when its socket closes', async () => {
  const push = new Push({ linger: 0 })
  const sending = failureOf(() => push.sendBatch(['a']))
  await push.close()
  expect((await sending).code).toBe('EBADF')
  expect((await failureOf(() => push.sendBatch(['a']))).code).toBe('EBADF')
  expect((await failureOf(() => push.trySendBatch(['a']))).code).toBe('EBADF')
})

test('trySendBatch tells how many went', async () => {
  await using push = new Push({ linger: 0 })
  await using pull = new Pull()
  expect(push.trySendBatch(['a', 'b'])).toBe(0)
  connectAll('inproc://try-batch', pull, push)
  expect(push.trySendBatch(['a', 'b'])).toBe(2)
  expect(push.trySendBatch([])).toBe(0)
  expect(await received(pull, 2)).toEqual(['a', 'b'])
})

test.each([Pair, Bus])('a %o sends batches, too', async (Class) => {
  await using one = new Class()
  await using other = new Class()
  connectAll('inproc://batches', one, other)
  await one.sendBatch(['a', 'b'])
  expect(other.trySendBatch(['c'])).toBe(1)
  expect([String(await other.receive()), String(await other.receive()), String(await one.receive())]).toEqual([
    'a',
    'b',
    'c',
  ])
})

test('a batch of a Pub is dropped where no Sub listens', async () => {
  await using pub = new Pub()
  await pub.sendBatch(['a', 'b'])
  expect(pub.trySendBatch(['c'])).toBe(1)
})

test.each([
  ['no array', 'text', 'bodies must be an array'],
  ['a number in it', ['a', 7], 'bodies[1] must be a Buffer'],
  ['a hole in it', new Array(1), 'bodies[0] must be a Buffer'],
])('a batch that is %s is refused as a whole', async (_, bodies, message) => {
  await using push = new Push()
  await using pull = new Pull()
  connectAll('inproc://refused', pull, push)
  for (const send of [() => push.sendBatch(bodies as string[]), () => push.trySendBatch(bodies as string[])]) {
    const error = await failureOf(send)
    expect([error.code, error.message]).toEqual(['EINVAL', expect.stringContaining(message)])
  }
  await push.send('only')
  expect(String(await pull.receive())).toBe('only')
})
