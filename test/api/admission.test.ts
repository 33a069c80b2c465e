/** Who may come in: `admit`, `disconnect()`, limits and rights of single endpoints. */
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { connect } from 'node:net'
import { duplexPair } from 'node:stream'
import {
  type Candidate,
  type ConnectEvent,
  NanomsgError,
  Pair,
  Pull,
  Push,
  type RejectEvent,
  Rep,
  Req,
  registerTransport,
  type SocketOptions,
} from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { ca, client, describeTls, ofServer } from '../tls/certificates.js'
import { runProgram, transports } from './support.js'

const ipcAddress = transports[1].address
const quick = { reconnectInterval: 10 } as const
const nextEvent = async (events: AsyncIterator<unknown>) => (await events.next()).value

/** A Pull whose `admit` answers as given, and what it was asked. */
function guarded(admit: (peer: Candidate) => unknown, options: SocketOptions = {}) {
  const asked: Candidate[] = []
  const pull = new Pull({
    ...options,
    admit: (peer) => {
      asked.push(peer)
      return admit(peer) as boolean
    },
  })
  return { pull, asked, events: pull.events() }
}

describe('admit', () => {
  test.each([
    ['tcp', () => 'tcp://127.0.0.1:0'],
    ['ipc', ipcAddress],
    ['ws', () => 'ws://127.0.0.1:0/path'],
  ])('sees a peer over %s before its connection is there', async (scheme, address) => {
    const { pull, asked, events } = guarded(async () => true)
    await using _ = pull
    await using push = new Push({ requestHeaders: { 'X-User': 'zero' } })
    const endpoint = pull.bind(address())
    push.connect(endpoint.address)
    await push.send('work')
    expect(String(await pull.receive())).toBe('work')
    const connected = (await nextEvent(events)) as ConnectEvent
    const [peer] = asked
    expect(asked.length).toBe(1)
    expect(peer).toMatchObject({ pipe: connected.pipe, protocol: 'push', address: endpoint.address })
    expect(peer!.remoteAddress).toBe(connected.remoteAddress)
    expect(peer!.credentials?.pid).toBe(scheme === 'ipc' ? process.pid : undefined)
    expect(peer!.requestHeaders?.['x-user']).toBe(scheme === 'ws' ? 'zero' : undefined)
    expect(pull.stats()).toMatchObject({ handshakes: 0, refusedPeers: 0, currentConnections: 1 })
  })

  const no = (text: string) => new RegExp(`^EPERM: .*${text}`)
  test.each<[string, (peer: Candidate) => unknown, RegExp]>([
    ['says no', () => false, no('has said no')],
    ['says no later', async () => false, no('has said no')],
    [
      'throws',
      () => {
        throw new Error('boom')
      },
      no('has thrown: boom'),
    ],
    ['rejects', () => Promise.reject(new Error('boom')), no('has thrown: boom')],
    [
      'throws what cannot be shown',
      () => {
        throw Object.create(null)
      },
      no('has thrown'),
    ],
    ['returns nothing', () => undefined, no('neither true nor false')],
    ['returns what is only like true', () => 1, no('neither true nor false')],
    ['never answers', () => new Promise(() => {}), no('in time')],
  ])('that %s refuses this peer and no other', async (_, admit, text) => {
    let isFirst = true
    const { pull, events } = guarded(
      (peer) => {
        if (!isFirst) return true
        isFirst = false
        return admit(peer)
      },
      { admitTimeout: 50 },
    )
    await using __ = pull
    const { address } = pull.bind('tcp://127.0.0.1:0')
    await using push = new Push(quick)
    push.connect(address)
    const rejected = (await nextEvent(events)) as RejectEvent
    expect(rejected).toMatchObject({ type: 'reject', protocol: 'push' })
    expect(rejected.error).toBeInstanceOf(NanomsgError)
    expect(rejected.error.message).toMatch(text)
    expect(await nextEvent(events)).toMatchObject({ type: 'connect' })
    await push.send('work')
    expect(String(await pull.receive())).toBe('work')
    expect(pull.stats().refusedPeers).toBe(1)
  })

  test('that throws is told by one warning of the process', async () => {
    const { stdout, stderr } = await runProgram(`
      const { Pull, Push } = require('nanomsg-native')
      const pull = new Pull({ admit: () => { throw new Error('boom') } })
      const push = new Push({ reconnectInterval: 5 })
      let count = 0
      push.connect(pull.bind('tcp://127.0.0.1:0').address)
      pull.on('reject', () => { if (++count === 3) { console.log('three'); push.close(); pull.close() } })
      pull.receive().catch(() => {})`)
    expect(stdout).toContain('three')
    expect(stderr.match(/NANOMSG_ADMIT/g)?.length).toBe(1)
    expect(stderr).toContain('boom')
  })

  test.each([
    ['a Proxy that was revoked', 'const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy'],
    ['an error whose message is no text', "throw Object.assign(new Error(), { message: Symbol('message') })"],
    ['an error whose message throws', 'throw { __proto__: Error.prototype, get message() { throw 1 } }'],
    ['an error whose stack throws', "throw Object.defineProperty(new Error(), 'stack', { get() { throw 1 } })"],
  ])('that throws %s refuses the peer, and the process goes on', async (_, body) => {
    const { exitCode, stdout, stderr } = await runProgram(`
      const { Pull, Push } = require('nanomsg-native')
      const pull = new Pull({ admit: () => { ${body} }, admitTimeout: -1 })
      const push = new Push()
      push.connect(pull.bind('tcp://127.0.0.1:0').address)
      pull.on('reject', ({ error }) => {
        console.log(error.message)
        setImmediate(() => { push.close(); pull.close() })
      })
      pull.receive().catch(() => {})`)
    expect(stdout).toMatch(/^EPERM: .*admit\(\) has thrown/)
    expect(stderr).toContain('NANOMSG_ADMIT')
    expect(exitCode).toBe(0)
  })

  test('answers in any order', async () => {
    const decide: ((isAdmitted: boolean) => void)[] = []
    const { pull, events } = guarded(() => new Promise((resolve) => decide.push(resolve)), { admitTimeout: -1 })
    await using _ = pull
    const { address } = pull.bind('tcp://127.0.0.1:0')
    await using one = new Push()
    await using two = new Push()
    one.connect(address)
    two.connect(address)
    while (decide.length < 2) await new Promise(setImmediate)
    expect(pull.stats()).toMatchObject({ handshakes: 2, currentConnections: 0 })
    decide[1]!(true)
    expect(await nextEvent(events)).toMatchObject({ type: 'connect' })
    decide[0]!(true)
    expect(await nextEvent(events)).toMatchObject({ type: 'connect' })
  })

  test('of a browser is a status of 403', async () => {
    const { pull } = guarded(() => false)
    await using _ = pull
    const ws = new WebSocket(pull.bind('ws://127.0.0.1:0/').address, ['pull.sp.nanomsg.org'])
    ws.on('error', () => {})
    const [, response] = await once(ws, 'unexpected-response')
    expect(response.statusCode).toBe(403)
    ws.terminate()
  })

  test('holds for the endpoint that it is given to, and the socket’s for others', async () => {
    await using pull = new Pull({ admit: () => false })
    const guardedAddress = pull.bind('tcp://127.0.0.1:0').address
    const openAddress = pull.bind('tcp://127.0.0.1:0', { admit: () => true }).address
    pull.admit = undefined
    const unseenAddress = pull.bind('tcp://127.0.0.1:0').address
    const states = await Promise.all(
      [guardedAddress, openAddress, unseenAddress].map(async (address) => {
        await using push = new Push(quick)
        const events = push.events()
        push.connect(address)
        return ((await nextEvent(events)) as { type: string }).type
      }),
    )
    expect(states).toEqual(['reject', 'connect', 'connect'])
    expect(pull.admit).toBeUndefined()
  })

  test('is asked about streams of transports in JavaScript', async () => {
    let accept: (stream: import('node:stream').Duplex) => void = () => {}
    registerTransport('admitted', {
      connect() {
        const [ours, theirs] = duplexPair()
        accept(theirs)
        return ours
      },
      listen(_, onConnection) {
        accept = onConnection
        return { close() {} }
      },
    })
    await using pull = new Pull()
    const answers = [false, true]
    pull.bind('admitted://here', { admit: () => answers.shift()! })
    const events = pull.events()
    await using push = new Push(quick)
    push.connect('admitted://here')
    expect(await nextEvent(events)).toMatchObject({ type: 'reject' })
    expect(await nextEvent(events)).toMatchObject({ type: 'connect' })
    await push.send('work')
    expect(String(await pull.receive())).toBe('work')
  })

  test('may close the socket, or end while it closes', async () => {
    const { pull } = guarded(() => void pull.close())
    const { address } = pull.bind('tcp://127.0.0.1:0')
    await using push = new Push(quick)
    push.connect(address)
    await expect(pull.receive()).rejects.toThrow(/^EBADF/)
  })

  test.each<[string, unknown]>([
    ['a text', 'yes'],
    ['null', null],
    ['an object', {}],
  ])('that is %s is EINVAL', (_, wrong) => {
    expect(() => new Pull({ admit: wrong as () => boolean })).toThrow(/^EINVAL: .*admit/)
  })

  test.each([0, -2, 1.5, Number.NaN])('has no limit of %s', (admitTimeout) => {
    expect(() => new Pull({ admitTimeout })).toThrow(/^EINVAL: .*admitTimeout/)
  })
})

describeTls('over TLS', () => {
  test('admit sees the certificate of a client', async () => {
    let seen: Candidate | undefined
    const admit = (peer: Candidate) => {
      seen = peer
      return peer.certificate !== undefined
    }
    await using pull = new Pull({ admit, tls: { ...ofServer, ca: ca.cert, requireClientCertificate: true } })
    await using push = new Push({ tls: { cert: client.cert, key: client.key, ca: ca.cert } })
    push.connect(pull.bind('tls+tcp://127.0.0.1:0').address)
    await push.send('work')
    expect(String(await pull.receive())).toBe('work')
    expect(seen?.certificate?.subject).toBe('CN=client')
  })
})

describe('disconnect()', () => {
  test('ends the connection of the peer of a request', async () => {
    await using rep = new Rep()
    await using req = new Req(quick)
    const events = rep.events()
    let wasEnded: boolean | undefined
    void rep.serve((body, peer) => {
      wasEnded = String(body) === 'bad' ? rep.disconnect(peer) : undefined
      return body
    })
    req.connect(rep.bind('tcp://127.0.0.1:0').address)
    await expect(req.request('bad', { attempts: 1 })).rejects.toThrow(/^ECONNRESET/)
    expect(wasEnded).toBe(true)
    expect(await nextEvent(events)).toMatchObject({ type: 'connect' })
    expect(await nextEvent(events)).toMatchObject({ type: 'disconnect', reason: 'closed' })
    expect(String(await req.request('good'))).toBe('good')
  })

  test('takes events and numbers, and says whether the connection was there', async () => {
    await using one = new Pair()
    await using two = new Pair(quick)
    const events = one.events()
    two.connect(one.bind('inproc://disconnect').address)
    const connected = (await nextEvent(events)) as ConnectEvent
    expect(one.disconnect(connected)).toBe(true)
    expect(one.disconnect(connected.pipe)).toBe(false)
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    for (const wrong of [connected.pipe + 2 ** 32, '1', null, {}, 1.5, undefined, proxy] as never[]) {
      expect(() => one.disconnect(wrong)).toThrow(/^EINVAL: .*disconnect/)
    }
    await one.close()
    expect(() => one.disconnect(1)).toThrow(/^EBADF/)
  })
})

describe('options of bind()', () => {
  test('limit the connections of one endpoint', async () => {
    await using pull = new Pull()
    const { address } = pull.bind('tcp://127.0.0.1:0', { maxConnections: 0 })
    expect(pull.maxConnectionsPerEndpoint).toBe(-1)
    const stranger = connect(Number(address.split(':')[2]), '127.0.0.1')
    stranger.on('error', () => {})
    await once(stranger, 'close')
    expect(pull.stats().rejectedConnections).toBe(1)
  })

  test('give a socket file its mode', async () => {
    await using pull = new Pull({ ipcMode: 0o600 })
    const mode = (address: string) => statSync(address.slice('ipc://'.length)).mode & 0o777
    expect(mode(pull.bind(ipcAddress()).address)).toBe(0o600)
    expect(mode(pull.bind(ipcAddress(), { ipcMode: 0o666 }).address)).toBe(0o666)
    expect(pull.ipcMode).toBe(0o600)
  })

  test.skipIf(process.getuid?.() !== 0)('give a socket file away', async () => {
    await using pull = new Pull()
    const { address } = pull.bind(ipcAddress(), { ipcOwner: { uid: 12345, gid: 23456 } })
    expect(statSync(address.slice('ipc://'.length))).toMatchObject({ uid: 12345, gid: 23456 })
    expect(pull.ipcOwner).toEqual({})
  })

  test('that are wrong are EINVAL, and nothing is bound', async () => {
    await using pull = new Pull({ ipcOwner: { gid: 1 } })
    const wrong = [{ ipcMode: 0o1777 }, { ipcOwner: { uid: -1 } }, { ipcOwner: 0 }, { linger: 1 }, { origins: 1 }, 7]
    for (const options of wrong) expect(() => pull.bind(ipcAddress(), options as never)).toThrow(/^EINVAL/)
    expect(pull.ipcOwner).toEqual({ gid: 1 })
    expect(pull.ipcMode).toBe(-1)
  })
})
