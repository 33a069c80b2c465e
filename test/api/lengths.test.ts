/** Messages of all lengths, one behind the other: how one has ended decides how the next one is read. */
import { Pull, Push } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll, transports } from './support.js'

/** Around the lengths at which the engine reads in another way, with and without the prefix of a frame. */
const edges = [512, 4096, 16_384, 65_536, 131_072, 262_144, 1_048_576]
const lengths = [0, 1, 300, 20_000, 90_000, ...edges.flatMap((edge) => [edge - 14, edge - 9, edge - 1, edge, edge + 1])]

const bytes = Buffer.alloc(2 ** 21, 'Each byte tells where it has been, or nearly so. ')

/** A body that differs from others of its length. */
const bodyOf = (number: number, length: number) => bytes.subarray(number % 997, (number % 997) + length)

describe.each(transports)('over $scheme', ({ address }) => {
  test.each([
    ['each length behind each other one', (i: number) => (i % 2 === 0 ? i / 2 : i % 7) % lengths.length],
    ['long and short ones in turn', (i: number) => (i % 2 === 0 ? lengths.length - 1 - (i % 5) : i % 10)],
    ['the same length again and again', (i: number) => Math.floor(i / 12) % lengths.length],
  ])(
    '%s',
    async (_, choose) => {
      const COUNT = 200
      await using push = new Push()
      await using pull = new Pull({ maxMessageSize: -1 })
      connectAll(address(), pull, push)
      const sent = Array.from({ length: COUNT }, (_, i) => bodyOf(i, lengths[choose(i)]!))
      const sending = (async () => {
        for (const body of sent) await push.send(body)
      })()
      const wrong: number[] = []
      for (let i = 0; i < COUNT; i++) if (!(await pull.receive()).equals(sent[i]!)) wrong.push(i)
      await sending
      expect(wrong).toEqual([])
    },
    30_000,
  )
})
