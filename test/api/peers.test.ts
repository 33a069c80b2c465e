/** Which peer has asked, and which has answered. */
import { type Peer, Rep, Req, Respondent, Surveyor } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll, failureOf, transports, until } from './support.js'

/** What a peer tells, as an event of its connection tells it. */
const told = ({ pipe, protocol, address, bound, localAddress, remoteAddress }: Peer) => ({
  pipe,
  protocol,
  address,
  bound,
  localAddress,
  remoteAddress,
})

describe.each(transports)('over $scheme', ({ scheme, address }) => {
  test('a Rep is told its asker, as the event of the connection tells it', async () => {
    await using rep = new Rep()
    await using req = new Req()
    const events = rep.events()
    connectAll(address(), rep, req)
    const { value: event } = await events.next()
    const seen: ReturnType<typeof told>[] = []
    void rep.serve((body, peer) => {
      seen.push(told(peer))
      return body
    })
    await req.request('who am I?')
    expect(seen[0]?.remoteAddress).toMatch(new RegExp(`^${scheme}://`))
    expect(event).toMatchObject({ type: 'connect', ...seen[0] })
  })

  test('peers are told apart, and known without events', async () => {
    await using rep = new Rep()
    await using a = new Req()
    await using b = new Req()
    connectAll(address(), rep, a, b)
    const seen: Peer[] = []
    void rep.serve((body, peer) => {
      seen.push(peer)
      return body
    })
    for (const req of [a, b, a, b]) await req.request('?')
    const pipes = seen.map((peer) => peer.pipe)
    expect(pipes[0]).toBeGreaterThan(0)
    expect(pipes[0]).not.toBe(pipes[1])
    expect(pipes.slice(2)).toEqual(pipes.slice(0, 2))
    if (scheme === 'tcp' || scheme === 'ws') expect(seen[0]!.remoteAddress).not.toBe(seen[1]!.remoteAddress)
    expect(seen.map(({ protocol, bound }) => ({ protocol, bound }))).toEqual(
      Array.from({ length: 4 }, () => ({ protocol: 'req', bound: true })),
    )
  })

  test('a Respondent is told its surveyor, and a Surveyor its respondents', async () => {
    await using surveyor = new Surveyor()
    await using a = new Respondent()
    await using b = new Respondent()
    connectAll(address(), surveyor, a, b)
    await surveyor.ready({ peers: 2 })
    const asked: Peer[] = []
    for (const [name, respondent] of Object.entries({ a, b })) {
      void respondent.serve((_, peer) => {
        asked.push(peer)
        return name
      })
    }
    const answered = new Map<string, Peer>()
    for await (const { body, peer } of surveyor.survey('who is there?', { peers: true })) {
      answered.set(String(body), peer)
      if (answered.size === 2) break
    }
    expect([...answered.keys()].sort()).toEqual(['a', 'b'])
    expect(answered.get('a')!.pipe).not.toBe(answered.get('b')!.pipe)
    expect(told(answered.get('a')!)).toMatchObject({ protocol: 'respondent', bound: true })
    expect(asked.map(({ protocol, bound }) => ({ protocol, bound }))).toEqual([
      { protocol: 'surveyor', bound: false },
      { protocol: 'surveyor', bound: false },
    ])
  })
})

test('the process of a peer is known without listeners to events', async () => {
  await using rep = new Rep()
  await using req = new Req()
  connectAll(`abstract://nn-peer-${process.pid}`, rep, req)
  const seen: Peer[] = []
  void rep.serve((body, peer) => {
    seen.push(peer)
    return body
  })
  await req.request('who am I?')
  expect(seen[0]!.credentials).toEqual({ pid: process.pid, uid: process.getuid!(), gid: process.getgid!() })
})

describe('a peer that is gone', () => {
  /** A request that is being worked on while its asker leaves. */
  async function leaveWhileAsked(look: (peer: Peer) => void): Promise<Peer> {
    await using rep = new Rep()
    const req = new Req()
    connectAll('tcp://127.0.0.1:0', rep, req)
    const request = req.request('?').catch(() => {})
    const peer = await new Promise<Peer>((resolve) => {
      void rep.serve((_, each) => {
        look(each)
        resolve(each)
        return undefined
      })
    })
    await req.close()
    await request
    await until(() => rep.stats().currentConnections === 0)
    look(peer)
    return peer
  }

  test('is known as long as it was read before', async () => {
    const seen: unknown[] = []
    const peer = await leaveWhileAsked((each) => seen.push(each.remoteAddress))
    expect(seen[0]).toMatch(/^tcp:/)
    expect(seen[1]).toBe(seen[0])
    expect(told(peer)).toMatchObject({ protocol: 'req', bound: true }) // although the socket is closed, too
  })

  test('is a number otherwise', async () => {
    let isFirst = true
    const peer = await leaveWhileAsked((each) => {
      if (!isFirst) expect(each.remoteAddress).toBeUndefined()
      isFirst = false
    })
    const { pipe, ...rest } = told(peer)
    expect(pipe).toBeGreaterThan(0)
    expect(Object.values(rest).every((value) => value === undefined)).toBe(true)
  })
})

test('onError hears whose question it was', async () => {
  await using rep = new Rep()
  await using req = new Req()
  connectAll('inproc://on-error-of-peers', rep, req)
  const peers: Peer[] = []
  void rep.serve(
    (_, peer) => {
      peers.push(peer)
      throw new Error('no')
    },
    {
      onError: (_error, body, peer) => {
        peers.push(peer)
        return body
      },
    },
  )
  await req.request('?')
  expect(peers[0]).toBe(peers[1])
})

test('whether answers come with their peers is true or false', async () => {
  await using surveyor = new Surveyor()
  const error = await failureOf(() => surveyor.survey('?', { peers: 1 as never }))
  expect([error.code, error.message]).toEqual(['EINVAL', expect.stringContaining('peers must be true or false')])
})
