/** Arrays that say they have more elements than any can have, as a Proxy may: refused before an element is read. */
import { Push, type TlsOptions } from 'nanomsg-native'
import * as nn from 'nanomsg-native/nn'
import { describe, expect, test } from 'vitest'
import { failureOf } from './support.js'

/** The only property of it that can be read is its length. */
function claiming(length: number): never {
  return new Proxy([], {
    get: (_, name) => {
      if (name === 'length') return length
      throw new Error(`${String(name)} was read`)
    },
  }) as never
}

const calls: Record<string, (push: Push, s: number, array: never) => unknown> = {
  'send()': (push, _, array) => push.send(array),
  'trySend()': (push, _, array) => push.trySend(array),
  'sendBatch()': (push, _, array) => push.sendBatch(array),
  'trySendBatch()': (push, _, array) => push.trySendBatch(array),
  'the option tls.ca': (push, _, array) => Reflect.set(push, 'tls', { ca: array } satisfies TlsOptions),
  'nn_sendmsg()': (_, s, array) => nn.nn_sendmsg(s, { msg_iov: array }),
  'nn_recvmsg()': (_, s, array) => nn.nn_recvmsg(s, { msg_iov: array }),
  'nn_poll()': (_, __, array) => nn.nn_poll(array),
}

describe.each(Object.entries(calls))('%s', (_, call) => {
  test.each([2 ** 24 + 1, 2 ** 31 - 1])('refuses an array of %i elements', async (length) => {
    await using push = new Push()
    const s = nn.nn_socket(nn.AF_SP, nn.NN_PAIR)
    const error = await failureOf(() => call(push, s, claiming(length)))
    nn.nn_close(s)
    expect(error.code).toBe('EINVAL')
    expect(error.message).toContain(`an array of at most ${2 ** 24}, not ${length}`)
  })
})
