import { connect } from 'node:net'
import { connect as connectSecurely } from 'node:tls'
import { Pub, Rep, Req, Respondent, Sub, Surveyor, type TlsOptions } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { turn, until } from '../api/support.js'
import { ca, describeTls, ofClient, ofServer } from '../tls/certificates.js'

type Victim = Rep | Sub | Respondent

interface Type {
  name: string
  open(tls?: TlsOptions): Victim
  openPeer(tls?: TlsOptions): Req | Pub | Surveyor
  taken: Buffer
}

const asked = Buffer.from('80000001', 'hex')

/** Types that pass messages over: those not subscribed to, and those without the header that they need. */
const types: Type[] = [
  { name: 'Rep', open: (tls) => new Rep({ tls }), openPeer: (tls) => new Req({ tls }), taken: asked },
  {
    name: 'Sub',
    open: (tls) => new Sub({ tls }).subscribe('a'),
    openPeer: (tls) => new Pub({ tls }),
    taken: Buffer.from('a'),
  },
  {
    name: 'Respondent',
    open: (tls) => new Respondent({ tls }),
    openPeer: (tls) => new Surveyor({ tls }),
    taken: asked,
  },
]

/** Ways to use a socket until it is closed. */
const uses: { way: string; use: (victim: Victim) => Promise<unknown> | undefined }[] = [
  { way: 'receives', use: receiveAll },
  { way: 'looks', use: lookAtAll },
  { way: 'serves', use: (victim) => (victim instanceof Sub ? receiveAll(victim) : void victim.serve((body) => body)) },
  { way: 'iterates', use: (victim) => drain(victim) },
  { way: 'iterates over batches', use: (victim) => drain(victim.batches()) },
]

async function receiveAll(victim: Victim): Promise<void> {
  for (;;) await victim.receive()
}

async function lookAtAll(victim: Victim): Promise<void> {
  for (;;) {
    victim.tryReceive()
    await turn()
  }
}

async function drain(messages: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of messages);
}

/** A frame of a client, masked with zeros. */
const frame = (opcode: number, body: Buffer) =>
  Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | body.length, 0, 0, 0, 0]), body])

/** Upgrades, sends all in one packet and ends its half of the stream. Resolves when the server has ended the other. */
function attack(address: string, type: string, packet: Buffer): Promise<void> {
  const port = Number(/:(\d+)\//.exec(address)![1])
  const host = '127.0.0.1'
  const stream = address.startsWith('wss') ? connectSecurely({ port, host, ca: ca.cert }) : connect(port, host)
  stream.on('error', () => {})
  stream.write(
    `GET /x HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ${type}.sp.nanomsg.org\r\n\r\n`,
  )
  stream.once('data', () => stream.end(packet))
  return new Promise((resolve) => stream.once('close', () => resolve()))
}

const schemes = [
  { scheme: 'ws', server: undefined, client: undefined },
  { scheme: 'wss', server: ofServer, client: ofClient },
]

describeTls('peers that close behind a message that is passed over', () => {
  describe.each(schemes)('over $scheme', ({ scheme, server, client }) => {
    const cases = types.flatMap((type) => uses.map((use) => ({ ...type, ...use })))

    test.each(cases)('are gone for a $name that $way', async ({ name, open, openPeer, taken, use }) => {
      const victim = open(server)
      await using peer = openPeer(client)
      const { address } = victim.bind(`${scheme}://127.0.0.1:0/x`)
      peer.connect(address)
      await victim.ready()
      const used = use(victim)?.catch(() => {})
      const closes = [frame(8, Buffer.from([3, 0xe8])), Buffer.concat([frame(9, taken), frame(8, Buffer.alloc(0))])]
      for (const [i, count] of [1, 2, 50, 1, 2, 50].entries()) {
        const messages = Array<Buffer>(count).fill(frame(2, taken))
        await attack(
          address,
          name.toLowerCase(),
          Buffer.concat([...messages, frame(2, Buffer.from('b')), closes[i % 2]!]),
        )
        await until(() => victim.stats().currentConnections === 1)
      }
      await victim.close()
      await used
      await until(() => peer.stats().currentConnections === 0)
      expect(peer.stats().brokenConnections).toBeLessThanOrEqual(1)
    })
  })
})
