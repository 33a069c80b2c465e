import { Pub, Rep, Req, Sub } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { turn, until } from '../api/support.js'
import { ids, RawListener, RawPeer, streams } from './raw-peer.js'
import { EchoUnderAttack, PullUnderAttack, residentMiB } from './victims.js'

const MAX = 1000

/** Lengths that no limit allows: no memory could hold them. */
const impossible: [string, bigint][] = [
  ['2^63', 2n ** 63n],
  ['2^64 - 9', 2n ** 64n - 9n],
  // With the prefix of tcp, 8 bytes, or of ipc, 9, these are 0 or a little more.
  ['2^64 - 8', 2n ** 64n - 8n],
  ['2^64 - 7', 2n ** 64n - 7n],
  ['2^64 - 1', 2n ** 64n - 1n],
]

const tooLong: [string, bigint][] = [
  ['maxMessageSize + 1', BigInt(MAX) + 1n],
  ['2^31', 2n ** 31n],
  ['2^32', 2n ** 32n],
  ['2^62', 2n ** 62n],
  ['2^63 - 1', 2n ** 63n - 1n],
  ...impossible,
]

describe.each(streams)('a peer that announces over $scheme', ({ address }) => {
  test.each(tooLong)('%s bytes is disconnected', async (_, length) => {
    await using victim = new PullUnderAttack(address(), { maxMessageSize: MAX })
    using peer = await RawPeer.admitted(victim.address, ids.push)
    await peer.write(peer.prefix(length))
    await peer.closedByOther()
    await victim.expectOnlyInnocent()
  })

  test.each(tooLong)('%s bytes, and sends more at once, is disconnected', async (_, length) => {
    await using victim = new PullUnderAttack(address(), { maxMessageSize: MAX })
    using peer = await RawPeer.admitted(victim.address, ids.push)
    await peer.write(Buffer.concat([peer.prefix(length), Buffer.alloc(MAX)]))
    await peer.closedByOther()
    await victim.expectOnlyInnocent()
  })

  test.each(impossible)('%s bytes, and sends a few, is disconnected where there is no limit', async (_, length) => {
    await using victim = new PullUnderAttack(address(), { maxMessageSize: -1 })
    for (const count of [0, 1, 100, 4000, 100_000]) {
      using peer = await RawPeer.admitted(victim.address, ids.push)
      await peer.write(Buffer.concat([peer.prefix(length), Buffer.alloc(count, 'x')]))
      await peer.closedByOther()
      await victim.expectOnlyInnocent()
    }
  })

  test.each<[string, bigint]>([
    ['2^40', 2n ** 40n],
    ['2^62', 2n ** 62n],
    ['2^63 - 1', 2n ** 63n - 1n],
  ])('%s bytes gets memory only for what it sends, where there is no limit', async (_, length) => {
    await using victim = new PullUnderAttack(address(), { maxMessageSize: -1 })
    const before = residentMiB()
    const peers: RawPeer[] = []
    for (let i = 0; i < 200; i++) {
      const peer = await RawPeer.admitted(victim.address, ids.push)
      await peer.write(Buffer.concat([peer.prefix(length), Buffer.alloc(100)]))
      peers.push(peer)
    }
    await victim.expectOnlyInnocent()
    expect(peers.every((peer) => !peer.isClosed)).toBe(true)
    expect(residentMiB() - before).toBeLessThan(48)
    for (const peer of peers) peer[Symbol.dispose]()
    await victim.expectOnlyInnocent()
  })

  test('maxMessageSize bytes is heard', async () => {
    await using victim = new PullUnderAttack(address(), { maxMessageSize: MAX })
    using peer = await RawPeer.admitted(victim.address, ids.push)
    await peer.write(peer.message(Buffer.alloc(MAX, 'x')))
    expect((await victim.pull.receive()).length).toBe(MAX)
    await victim.expectOnlyInnocent()
  })

  test('too many after messages that were right has those delivered', async () => {
    await using victim = new PullUnderAttack(address(), { maxMessageSize: MAX })
    using peer = await RawPeer.admitted(victim.address, ids.push)
    const right = Array.from({ length: 50 }, (_, i) => peer.message(`${i}`))
    await peer.write(Buffer.concat([...right, peer.prefix(MAX + 1), Buffer.alloc(MAX + 1)]))
    for (let i = 0; i < 50; i++) expect(String(await victim.pull.receive())).toBe(`${i}`)
    await peer.closedByOther()
    await victim.expectOnlyInnocent()
  })

  test('0 bytes is heard: messages may be empty, a thousand of them', async () => {
    await using victim = new PullUnderAttack(address())
    using peer = await RawPeer.admitted(victim.address, ids.push)
    await peer.write(Buffer.concat(Array.from({ length: 1000 }, () => peer.prefix(0))))
    await peer.write(peer.message('end'))
    for (let i = 0; i < 1000; i++) expect((await victim.pull.receive()).length).toBe(0)
    expect(String(await victim.pull.receive())).toBe('end')
    await victim.expectOnlyInnocent()
  })

  test.each([1, 7, 8, 9, 100, 20_000, 300_000])('a body of %i bytes and cuts it anywhere is heard', async (count) => {
    await using victim = new PullUnderAttack(address())
    using peer = await RawPeer.admitted(victim.address, ids.push)
    const body = Buffer.from(Array.from({ length: count }, (_, i) => i % 251))
    const message = Buffer.concat([peer.message('before'), peer.message(body), peer.message('after')])
    for (const cut of [1, 8, 9, 10, 15, 16, 22, 23, 24, 25, message.length - 1, message.length - 20]) {
      // Not awaited: more is written than the kernel keeps while no peer receives.
      peer.stream.write(message.subarray(0, cut))
      await turn()
      peer.stream.write(message.subarray(cut))
      expect(String(await victim.pull.receive())).toBe('before')
      expect((await victim.pull.receive()).equals(body)).toBe(true)
      expect(String(await victim.pull.receive())).toBe('after')
    }
    await victim.expectOnlyInnocent()
  })
})

describe('an ipc peer whose message has', () => {
  const { address } = streams.find(({ scheme }) => scheme === 'ipc')!

  test.each([0, 2, 3, 0x7f, 0xff])('a type byte of %i is disconnected', async (type) => {
    await using victim = new PullUnderAttack(address())
    using peer = await RawPeer.admitted(victim.address, ids.push)
    await peer.write(Buffer.from([type])) // seen before the length comes
    await peer.closedByOther()
    await victim.expectOnlyInnocent()
  })

  test('a wrong type byte after right ones has those delivered', async () => {
    await using victim = new PullUnderAttack(address())
    using peer = await RawPeer.admitted(victim.address, ids.push)
    const wrong = peer.message('wrong')
    wrong[0] = 2
    await peer.write(Buffer.concat([peer.message('right'), wrong, peer.message('too late')]))
    expect(String(await victim.pull.receive())).toBe('right')
    await peer.closedByOther()
    await victim.expectOnlyInnocent()
  })
})

describe.each(streams)(
  'a message over $scheme that is shorter than the header of its protocol',
  ({ address, scheme }) => {
    const short = ['', '8', '800', '80000000', '00000001', '00000001000000', '00000001'.repeat(300)]

    test('is no request, and the connection goes on', async () => {
      await using victim = new EchoUnderAttack(address())
      using peer = await RawPeer.admitted(victim.address, ids.req)
      for (const hex of short.filter((each) => each !== '80000000')) {
        await peer.write(peer.message(Buffer.from(hex, 'hex')))
        await victim.serve()
      }
      const request = Buffer.concat([Buffer.from('80000001', 'hex'), Buffer.from('right')])
      await peer.write(peer.message(request))
      expect(await peer.readMessage()).toEqual(request)
      await victim.serve()
    })

    test('is no reply, nor is one to a request that was not made', async () => {
      await using listener = await RawListener.open(scheme, async (peer) => {
        await peer.handshake(ids.rep)
        const request = await peer.readMessage()
        for (const hex of short) peer.stream.write(peer.message(Buffer.from(hex, 'hex')))
        const other = Buffer.from(request)
        other[3]! ^= 1
        peer.stream.write(peer.message(other))
        const unmarked = Buffer.from(request)
        unmarked[0]! &= 0x7f
        peer.stream.write(peer.message(unmarked))
        peer.stream.write(peer.message(Buffer.concat([request, Buffer.from(' is answered')])))
      })
      await using req = new Req()
      req.connect(listener.address)
      await req.send('this')
      expect(String(await req.receive())).toBe('this is answered')
      await using rep = new Rep()
      req.connect(rep.bind(address()).address)
      void listener[Symbol.asyncDispose]()
      await req.send('next')
      expect(String(await rep.receive())).toBe('next')
    })
  },
)

test.each(streams)('what a subscriber says over $scheme is not heard, and costs it nothing', async ({ address }) => {
  await using pub = new Pub()
  const endpoint = pub.bind(address())
  await using innocent = new Sub().subscribe('')
  innocent.connect(endpoint.address)
  using peer = await RawPeer.admitted(endpoint.address, ids.sub)
  for (let i = 0; i < 100; i++) await peer.write(peer.message('I have something to say'))
  let heard: Buffer | undefined
  await until(() => {
    pub.send('news')
    heard = innocent.tryReceive()
    return heard !== undefined
  })
  expect(String(heard)).toBe('news')
  expect(String(await peer.readMessage())).toBe('news')
})
