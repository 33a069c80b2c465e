/** Peers that are gone without a word: two hosts in networks of their own, of which one is unplugged. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Pair } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { describeWith } from '../perf/tools.js'
import { failureOf } from './support.js'

const network = [
  'unshare -n sleep 100 & host=$!',
  'trap "kill $host" EXIT',
  // Until the other process has a network of its own.
  'while [ $(readlink /proc/$host/ns/net) = $(readlink /proc/self/ns/net) ]; do :; done',
  'ip link add va type veth peer name vb netns $host',
  'ip addr add 10.78.0.1/24 dev va && ip link set va up && ip link set lo up',
  'nsenter -t $host -n sh -c "ip addr add 10.78.0.2/24 dev vb && ip link set vb up && ip link set lo up"',
  'export host',
].join('; ')

const inNetwork = ['-rn', 'sh', '-ec', `${network}; "$@"`, 'sh']

const built = JSON.stringify(join(__dirname, '..', '..', 'dist', 'index.js'))

/** Every class, and which class its peer has. */
const peers = {
  Bus: 'Bus',
  Pair: 'Pair',
  Pub: 'Sub',
  Pull: 'Push',
  Push: 'Pull',
  Rep: 'Req',
  Req: 'Rep',
  Respondent: 'Surveyor',
  Sub: 'Pub',
  Surveyor: 'Respondent',
}

const far = `
  const classes = require(${built})
  const kept = []
  process.stdin.on('data', (text) => {
    for (const line of String(text).trim().split('\\n')) {
      const { name, address } = JSON.parse(line)
      const socket = new classes[name]()
      kept.push(socket)
      if (address.endsWith(':0')) console.log(socket.bind(address).address)
      else socket.connect(address)
    }
  })`

const near = `
  const classes = require(${built})
  const { spawn, execFileSync } = require('node:child_process')
  const { once } = require('node:events')
  const inOther = ['-t', process.env.host, '-n']
  const other = spawn('nsenter', [...inOther, process.execPath, '-e', ${JSON.stringify(far)}], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = require('node:readline').createInterface(other.stdout)[Symbol.asyncIterator]()
  const order = (name, address) => other.stdin.write(JSON.stringify({ name, address }) + '\\n')
  const keepAlive = { idle: 1000, interval: 1000, count: 2 }
  const ends = []
  const attach = async (name, peer, isBound, scheme) => {
    const socket = new classes[name]({ keepAlive, linger: 0 })
    const connected = once(socket, 'connect')
    if (isBound) {
      order(peer, socket.bind(scheme + '://10.78.0.1:0').address)
    } else {
      order(peer, scheme + '://10.78.0.2:0')
      socket.connect((await lines.next()).value)
    }
    await connected
    ends.push({ what: [name, isBound ? 'bound' : 'connected', scheme].join(' '), socket })
  }
  ;(async () => {
    for (const [name, peer] of Object.entries(${JSON.stringify(peers)})) {
      for (const isBound of [true, false]) await attach(name, peer, isBound, 'tcp')
    }
    await attach('Pair', 'Pair', true, 'ws')
    execFileSync('nsenter', [...inOther, 'ip', 'link', 'set', 'vb', 'down'])
    const start = performance.now()
    // What is on its way to a peer that is gone has a limit as well.
    for (const { what, socket } of ends) if (/^(Push|Pair|Bus)/.test(what)) void socket.send('?').catch(() => {})
    const seen = await Promise.all(ends.map(async ({ what, socket }) => {
      const [event] = await once(socket, 'disconnect')
      return { what, reason: event.reason, seconds: (performance.now() - start) / 1000 }
    }))
    console.log(JSON.stringify(seen))
    other.kill()
    process.exit()
  })()`

describeWith('unshare', [...inNetwork, 'true'], 'two hosts in networks of their own', () => {
  test('a peer that is unplugged is gone in time, for every type, bound and connected', async () => {
    const { stdout } = await promisify(execFile)('unshare', [...inNetwork, process.execPath, '-e', near], {
      timeout: 60_000,
    })
    const seen: { what: string; reason: string; seconds: number }[] = JSON.parse(stdout)
    expect(seen).toHaveLength(21)
    for (const { what, reason, seconds } of seen) {
      expect([what, reason]).toEqual([what, 'failed'])
      // Without keepAlive it would take hours, or as long as the kernel sends again: 15 minutes.
      expect([what, seconds > 1 && seconds < 20]).toEqual([what, true])
    }
  })
})

describe('keepAlive', () => {
  test('reads as it was set, without what is left to the system', async () => {
    await using pair = new Pair({ keepAlive: { idle: 30_000, interval: undefined, count: 4 } })
    expect(pair.keepAlive).toEqual({ idle: 30_000, count: 4 })
    pair.keepAlive = {}
    expect(pair.keepAlive).toEqual({})
  })

  test.each([
    [5, 'an object'],
    [{ idle: 0 }, 'keepAlive.idle'],
    [{ idle: 1.5 }, 'keepAlive.idle'],
    [{ interval: '1s' }, 'keepAlive.interval'],
    [{ count: 128 }, 'keepAlive.count'],
    [{ after: 1000 }, 'idle, interval, count'],
  ])('refuses %j, and stays as it was', async (keepAlive, text) => {
    await using pair = new Pair({ keepAlive: { idle: 5000 } })
    const error = await failureOf(() => {
      pair.keepAlive = keepAlive as object
    })
    expect([error.code, error.message.includes(text)]).toEqual(['EINVAL', true])
    expect(pair.keepAlive).toEqual({ idle: 5000 })
  })
})
