import { readdirSync } from 'node:fs'
import { Rep, Respondent } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { turn, until } from '../api/support.js'
import { ids, RawPeer, streams } from './raw-peer.js'

type Victim = Rep | Respondent

const types = [
  { name: 'Rep', open: (): Victim => new Rep(), id: ids.req },
  { name: 'Respondent', open: (): Victim => new Respondent(), id: ids.surveyor },
]

/** Ways to answer until the socket is closed. */
const uses: { use: string; start: (victim: Victim) => void }[] = [
  { use: 'serves', start: (victim) => void victim.serve((body) => body) },
  { use: 'serves slowly', start: (victim) => void victim.serve(async (body) => turn().then(() => body)) },
  { use: 'receives and sends', start: (victim) => void answerAll(victim).catch(() => {}) },
  { use: 'iterates', start: (victim) => void iterate(victim).catch(() => {}) },
]

async function answerAll(victim: Victim): Promise<void> {
  for (;;) await victim.send(await victim.receive())
}

async function iterate(victim: Victim): Promise<void> {
  for await (const body of victim) await victim.send(body)
}

const endings: { ending: string; leave: (peer: RawPeer) => unknown }[] = [
  { ending: 'resets', leave: (peer) => peer.reset() },
  { ending: 'is destroyed', leave: (peer) => peer.stream.destroy() },
  {
    ending: 'reads the rest and ends',
    leave: (peer) => {
      peer.stream.end()
      void peer.closedByOther()
    },
  },
]

const descriptors = () => readdirSync('/proc/self/fd').length

describe.each(streams)('peers over $scheme', ({ address }) => {
  describe.each(types)('of a $name', ({ open, id }) => {
    const cases = uses.flatMap((use) => endings.map((ending) => ({ ...use, ...ending })))

    test.each(cases)('that read no answers are gone when each $ending, while it $use', async ({ start, leave }) => {
      await using victim = open()
      const bound = victim.bind(address()).address
      const before = descriptors()
      start(victim)
      const peers: RawPeer[] = []
      const request = Buffer.concat([Buffer.from('80000001', 'hex'), Buffer.alloc(65_536)])
      for (let i = 0; i < 4; i++) {
        const peer = await RawPeer.admitted(bound, id)
        for (let k = 0; k < 100; k++) peer.stream.write(peer.message(request))
        peers.push(peer)
      }
      await until(() => victim.stats().messagesReceived >= peers.length)
      for (let i = 0; i < 50; i++) await turn()
      for (const peer of peers) leave(peer)
      await until(() => victim.stats().currentConnections === 0)
      for (const peer of peers) peer.stream.destroy()
      await until(() => descriptors() <= before)
      expect(victim.stats().currentConnections).toBe(0)
    })
  })
})
