/** Iterations with limits: a timeout for each message, and a signal. */
import { Pull, Push } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll, failureOf } from './support.js'

const ways = [
  { name: 'messages', open: (pull: Pull, options?: never) => pull.messages(options) },
  { name: 'batches', open: (pull: Pull, options?: never) => pull.batches(options) },
] as const

/** What an iteration gives until it fails, and why it does. */
async function drain(iteration: AsyncIterable<Buffer | Buffer[]>) {
  const texts: string[] = []
  try {
    for await (const item of iteration)
      for (const message of Array.isArray(item) ? item : [item]) texts.push(`${message}`)
  } catch (error) {
    return { texts, error }
  }
  return { texts, error: undefined }
}

describe.each(ways)('$name', ({ open }) => {
  const start = (pull: Pull, options: object) =>
    open(pull, options as never) as AsyncIterableIterator<Buffer | Buffer[]>

  test('give what comes in time, then fail with ETIMEDOUT', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll('inproc://in-time', pull, push)
    await push.send('a')
    await push.send('b')
    const { texts, error } = await drain(start(pull, { timeout: 250 }))
    expect(texts).toEqual(['a', 'b'])
    expect(error).toMatchObject({ code: 'ETIMEDOUT', syscall: 'receive' })
  })

  test('are ended by a signal while they wait, and what comes later is not lost', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll('inproc://signalled', pull, push)
    const controller = new AbortController()
    const iterator = start(pull, { signal: controller.signal })
    const next = iterator.next()
    const reason = new Error('enough')
    controller.abort(reason)
    await expect(next).rejects.toBe(reason)
    expect(await iterator.next()).toEqual({ value: undefined, done: true })
    await push.send('later')
    expect(String(await pull.receive())).toBe('later')
  })

  test('are ended by a signal although there are messages', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll('inproc://in-the-middle', pull, push)
    for (let i = 0; i < 5; i++) await push.send(`${i}`)
    const controller = new AbortController()
    const iterator = start(pull, { signal: controller.signal })
    await iterator.next()
    controller.abort()
    await expect(iterator.next()).rejects.toMatchObject({ name: 'AbortError' })
  })

  test('end quietly when the socket is closed', async () => {
    const pull = new Pull()
    const drained = drain(start(pull, { signal: new AbortController().signal, timeout: 10_000 }))
    await pull.close()
    expect(await drained).toEqual({ texts: [], error: undefined })
  })

  test('refuse wrong limits at once', async () => {
    await using pull = new Pull()
    for (const options of [{ timeout: -2 }, { signal: 1 }, 5, null]) {
      expect((await failureOf(() => start(pull, options as never))).code).toBe('EINVAL')
    }
  })
})
