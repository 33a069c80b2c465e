/** One measurement: two processes, one conversation. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const SIDE = new URL('side.mjs', import.meta.url)
const TIME_LIMIT_MS = 30_000
const CLOCK_TICKS_PER_SECOND = 100

const ROLES = {
  'PUSH→PULL': { binds: 'pull', connects: 'push', meters: 'pull' },
  'REQ/REP': { binds: 'rep', connects: 'req', meters: 'req' },
}

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
  if (transport === 'ipc') return `ipc://${join(tmpdir(), `bench-${process.pid}-${counter++}`)}`
  return `tcp://127.0.0.1:${needsFreePort ? await freePort() : 0}`
}

/** CPU time that a process has used; undefined where the system does not tell. */
function cpuSeconds(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND
  } catch {
    return undefined
  }
}

function start(peer, role, address, bytes) {
  const child = fork(SIDE, [peer.name, role, address, String(bytes)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const waiting = []
  const told = []
  const deliver = () => {
    while (waiting.length > 0 && told.length > 0) waiting.shift().resolve(told.shift())
  }
  child.on('message', (message) => {
    told.push(message)
    deliver()
  })
  child.on('exit', (code, signal) => {
    for (const { reject } of waiting) reject(new Error(`${peer.name}: ${role} ended early (${signal ?? code})`))
  })
  return {
    pid: child.pid,
    next: () =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        deliver()
      }),
    kill: () => child.kill('SIGKILL'),
  }
}

export async function measure(peer, { pattern, transport, bytes }) {
  const roles = ROLES[pattern]
  const address = await addressFor(transport, peer.needsFreePort)
  const sides = []
  const timer = setTimeout(() => {
    console.error(`${peer.name}: nothing measured within ${TIME_LIMIT_MS} ms`)
    for (const side of sides) side.kill()
  }, TIME_LIMIT_MS)
  try {
    const binder = start(peer, roles.binds, address, bytes)
    sides.push(binder)
    const { listensAt } = await binder.next()
    const connecter = start(peer, roles.connects, listensAt, bytes)
    sides.push(connecter)
    const meter = roles.meters === roles.binds ? binder : connecter

    const cpu = () => sides.reduce((sum, side) => sum + (cpuSeconds(side.pid) ?? Number.NaN), 0)
    await meter.next()
    const cpuBefore = cpu()
    const { messagesPerSecond, messages, p50us, p99us } = await meter.next()
    return { messagesPerSecond, p50us, p99us, cpuUs: ((cpu() - cpuBefore) * 1e6) / messages }
  } finally {
    clearTimeout(timer)
    for (const side of sides) side.kill()
    if (transport === 'ipc') rmSync(address.slice('ipc://'.length), { force: true })
  }
}
