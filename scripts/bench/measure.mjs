/** One measurement: two processes, one conversation; or what else a case asks for. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { rolesOf } from './cases.mjs'
import { HANDSHAKES, openIdle } from './idle.mjs'
import { CLIENTS } from './peers.mjs'
import { cpuSeconds, ownMemory, start } from './processes.mjs'

const TIME_LIMIT_MS = 30_000

let counter = 0

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

async function addressFor(transport, needsFreePort) {
  if (transport === 'inproc' || transport === 'threads') return 'inproc://bench'
  if (transport === 'ipc') return `ipc://${join(tmpdir(), `bench-${process.pid}-${counter++}`)}`
  const port = needsFreePort ? await freePort() : 0
  return transport === 'ws' ? `ws://127.0.0.1:${port}` : `tcp://127.0.0.1:${port}`
}

/** The processes of one measurement; what one allows reaches the others. */
class Sides {
  all = []

  constructor(peer, each, isChecked) {
    this.start = (role, address) => {
      const onAllow = (message) => {
        for (const other of this.all) if (other !== side) other.send(message)
      }
      const side = start(peer, role, address, each, isChecked, onAllow)
      this.all.push(side)
      return side
    }
  }

  cpuSeconds() {
    return this.all.reduce((sum, side) => sum + cpuSeconds(side.pid), 0)
  }

  end(error) {
    for (const side of this.all) side.end(error)
  }
}

/** Waits for the window of the metering side. */
async function readMeter(sides, meter) {
  await meter.next()
  const cpuBefore = sides.cpuSeconds()
  const { window: _, ...figures } = await meter.next()
  return { ...figures, cpuUs: ((sides.cpuSeconds() - cpuBefore) * 1e6) / figures.messages }
}

async function measureAlone(sides, role, address) {
  const side = sides.start(role, address)
  if (role === 'start-up') return await side.next()
  await side.next() // where it listens
  return await readMeter(sides, side)
}

/** A process' memory when two looks in a row agree: what was freed is given back, what is needed is there. */
async function settledMemory(pid) {
  let before = Number.NaN
  for (let looks = 0; looks < 50; looks++) {
    const now = ownMemory(pid)
    if (now === before) break
    before = now
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  return before
}

/** A few connections come before the count: what a first one makes for all is no cost of a connection. */
async function measureIdle(sides, peer, count, address) {
  const server = sides.start('pull', address)
  const { listensAt } = await server.next()
  const first = await openIdle(listensAt, 10, peer.handshake)
  const before = await settledMemory(server.pid)
  const idle = await openIdle(listensAt, count, peer.handshake)
  const after = await settledMemory(server.pid)
  first.close()
  idle.close()
  return { bytesPerConnection: (after - before) / count }
}

/** How many connections a server takes and handshake in a second, while it keeps those that it has. */
async function measureConnections(sides, peer, count, address) {
  // A server without a protocol says as much as the others do.
  const hasProtocol = peer.accept === undefined
  const server = sides.start(hasProtocol ? 'pull' : 'accept', address)
  const { listensAt } = await server.next()
  const { says, hears } = HANDSHAKES[hasProtocol ? peer.handshake : 'sp']
  const args = [listensAt, String(count), says.toString('hex'), String(hears)]
  const { stdout } = await promisify(execFile)(CLIENTS, args, { timeout: TIME_LIMIT_MS })
  return JSON.parse(stdout)
}

async function measureConversation(sides, roles, address) {
  const binder = sides.start(roles.binds, address)
  const { listensAt } = await binder.next()
  const connecter = sides.start(roles.connects, listensAt)
  return await readMeter(sides, roles.meters === roles.binds ? binder : connecter)
}

/** @param isChecked whether every message's content is checked as it arrives */
export async function measure(peer, each, isChecked) {
  const roles = rolesOf(each, peer)
  const address = await addressFor(each.transport, peer.needsFreePort)
  const sides = new Sides(peer, each, isChecked)
  const timer = setTimeout(() => {
    sides.end(new Error(`${peer.name}: ${each.title}: nothing measured within ${TIME_LIMIT_MS} ms`))
  }, TIME_LIMIT_MS)
  try {
    if (roles.alone !== undefined) return await measureAlone(sides, roles.alone, address)
    if (each.pattern === 'connections') return await measureConnections(sides, peer, each.count, address)
    if (roles.connects === undefined) return await measureIdle(sides, peer, each.count, address)
    return await measureConversation(sides, roles, address)
  } finally {
    clearTimeout(timer)
    sides.end(new Error('the measurement is over'))
    if (each.transport === 'ipc') rmSync(address.slice('ipc://'.length), { force: true })
  }
}
