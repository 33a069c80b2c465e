/** Peers of every protocol over every transport that die: what they leave, whatever the user of the socket does. */
import { readdirSync } from 'node:fs'
import { Bus, Pair, Pub, Pull, Push, Rep, Req, Respondent, type SocketOptions, Sub, Surveyor } from 'nanomsg-native'
import { afterEach, expect, test } from 'vitest'
import { transports, until } from '../api/support.js'
import { describeTls, ofServer } from '../tls/certificates.js'
import { Program } from './program.js'
import { ids } from './raw-peer.js'

type Victim = Bus | Pair | Pub | Pull | Push | Rep | Req | Respondent | Sub | Surveyor

/** Each type, and the peer's. */
const types: { open: (options: SocketOptions) => Victim; name: string; peer: number }[] = [
  { open: (options) => new Pair(options), name: 'pair', peer: ids.pair },
  { open: (options) => new Bus(options), name: 'bus', peer: ids.bus },
  { open: (options) => new Req(options), name: 'req', peer: ids.rep },
  { open: (options) => new Rep(options), name: 'rep', peer: ids.req },
  { open: (options) => new Pub(options), name: 'pub', peer: ids.sub },
  { open: (options) => new Sub(options), name: 'sub', peer: ids.pub },
  { open: (options) => new Push(options), name: 'push', peer: ids.pull },
  { open: (options) => new Pull(options), name: 'pull', peer: ids.push },
  { open: (options) => new Surveyor(options), name: 'surveyor', peer: ids.respondent },
  { open: (options) => new Respondent(options), name: 'respondent', peer: ids.surveyor },
]

const addresses = [
  ...transports.filter(({ scheme }) => scheme !== 'inproc').map(({ address }) => address),
  () => 'tls+tcp://127.0.0.1:0',
  () => 'wss://127.0.0.1:0/path',
]

/** What users do until the socket is closed. */
const uses: ((victim: Victim) => void)[] = [
  () => {}, // nothing: messages wait
  (victim) => {
    if ('serve' in victim) void victim.serve((body) => body)
    else if (Symbol.asyncIterator in victim) void iterate(victim).catch(() => {})
    else if (victim instanceof Req) void victim.request('?').catch(() => {})
  },
  (victim) => {
    if ('receive' in victim) void exchange(victim).catch(() => {})
  },
]

async function iterate(victim: AsyncIterable<Buffer>): Promise<void> {
  for await (const body of victim) answer(victim, body)
}

async function exchange(victim: { receive(): Promise<Buffer> }): Promise<void> {
  for (;;) answer(victim, await victim.receive())
}

function answer(victim: object, body: Buffer): void {
  if (victim instanceof Bus || victim instanceof Pair || victim instanceof Rep || victim instanceof Respondent)
    victim.trySend(body)
}

/** Fills what the peer does not read. */
function flood(victim: Victim): void {
  if (!(victim instanceof Pair || victim instanceof Bus || victim instanceof Pub || victim instanceof Push)) return
  for (let i = 0; i < 50; i++) victim.trySend(Buffer.alloc(65_536))
}

/** A peer of each address, which does the handshake, sends 10 messages of 4 KB and reads nothing more. They fit
 * into the kernel's buffers, so that the end of the stream arrives also where the user takes none of them. */
const peers = `
  const net = require('node:net'), tls = require('node:tls')
  const streams = []
  const body = Buffer.alloc(4096)
  body[0] = 0x80
  body[3] = 1
  function open({ address, peer, name }) {
    const [, scheme, rest] = /^([^:]+):\\/\\/(.*)$/.exec(address)
    const isWs = scheme.startsWith('ws')
    const place = scheme === 'ipc' ? { path: rest } : { host: '127.0.0.1', port: Number(/:(\\d+)/.exec(rest)[1]) }
    const isTls = scheme === 'tls+tcp' || scheme === 'wss'
    const raw = net.connect({ ...place, allowHalfOpen: true })
    const stream = isTls ? tls.connect({ socket: raw, rejectUnauthorized: false, allowHalfOpen: true }) : raw
    for (const each of [raw, stream]) each.on('error', () => {})
    const prefix = isWs ? Buffer.from([0x82, 0xfe, 0x10, 0, 0, 0, 0, 0]) : Buffer.from([0, 0, 0, 0, 0, 0, 0x10, 0])
    const message = Buffer.concat([...(scheme === 'ipc' ? [Buffer.from([1])] : []), prefix, body])
    if (isWs) stream.write('GET /path HTTP/1.1\\r\\nHost: localhost\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\nSec-WebSocket-Version: 13\\r\\n' +
      'Sec-WebSocket-Protocol: ' + name + '.sp.nanomsg.org\\r\\n\\r\\n')
    else stream.write(Buffer.from([0, 0x53, 0x50, 0, 0, peer, 0, 0]))
    stream.once('readable', () => {
      for (let i = 0; i < 10; i++) stream.write(message)
    })
    streams.push({ stream, raw })
  }
  const endings = {
    reset: ({ raw }) => raw.remotePort === undefined ? raw.destroy() : raw.resetAndDestroy(),
    end: ({ stream }) => stream.end(),
  }
  require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const order = JSON.parse(line)
    if (Array.isArray(order)) order.forEach(open)
    else streams.forEach(endings[order])
  })
`

const descriptors = () => readdirSync('/proc/self/fd').length

const victims: Victim[] = []
afterEach(async () => void (await Promise.all(victims.splice(0).map((victim) => victim.close()))))

/** Takes what waits, after which a connection that is gone counts no more. */
function takeAll(victim: Victim): false {
  const isPlain = victim instanceof Pair || victim instanceof Bus || victim instanceof Sub || victim instanceof Pull
  while (isPlain && victim.tryReceive() !== undefined);
  if (victim instanceof Rep || victim instanceof Respondent) while (victim.tryReceive() !== undefined);
  return false
}

describeTls('peers of all protocols over all transports', () => {
  test.each(['reset', 'end', 'kill'] as const)('leave nothing: %s', { timeout: 300_000 }, async (ending) => {
    await using program = new Program(peers)
    const places: { address: string; peer: number; name: string }[] = []
    for (const address of addresses) {
      for (const { open, name, peer } of types) {
        for (const use of uses) {
          const victim = open({ tls: ofServer })
          victims.push(victim)
          if (victim instanceof Sub) victim.subscribe('')
          places.push({ address: victim.bind(address()).address, name, peer })
          use(victim)
        }
      }
    }
    const before = descriptors()
    program.say(JSON.stringify(places))
    await until(() => victims.every((victim) => victim.stats().currentConnections === 1))
    for (const [i, victim] of victims.entries()) if (i % uses.length > 0) flood(victim)
    if (ending === 'kill') await program.kill()
    else program.say(JSON.stringify(ending))

    await until(() => descriptors() <= before)
    await until(() => victims.every((victim) => victim.stats().currentConnections === 0 || takeAll(victim)))
    expect(descriptors()).toBeLessThanOrEqual(before)
  })
})
