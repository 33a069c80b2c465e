/** The implementations that are measured, and how each is made ready. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = dirname(fileURLToPath(import.meta.url))
const BUILD = join(HERE, '..', '..', 'build-bench')

/** The peers of the default run. */
export const YARDSTICK = ['nanomsg-native', 'nanomsg', 'zeromq', 'net']

const IN_NODE = [
  'nanomsg-native',
  'nanomsg-native-each',
  'nanomsg-native-transfer',
  'nanomsg',
  'zeromq',
  'net',
  'ws',
  'postmessage',
  'postmessage-transfer',
]

/** Programs in C: two processes, or for inproc two threads. */
const IN_C = {
  'nanomsg-native-c': ['tcp', 'ipc', 'inproc', 'ws'],
  'libnanomsg-c': ['tcp', 'ipc', 'inproc', 'ws'],
  'nng-c': ['tcp', 'ipc', 'inproc', 'ws'],
  'libzmq-c': ['tcp', 'ipc', 'inproc'],
  'raw-c': ['tcp', 'ipc'],
}

export const NAMES = [...IN_NODE, ...Object.keys(IN_C)]

function installPackages() {
  if (existsSync(join(HERE, 'node_modules'))) return
  console.error('bench: installing the peers')
  execFileSync('npm', ['ci', '--no-audit'], { cwd: HERE, stdio: ['ignore', 'ignore', 'inherit'] })
}

/** What connects to all servers alike when it is connections that are counted. */
export const CLIENTS = join(BUILD, 'clients')

function buildPrograms() {
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'] }
  execFileSync('cmake', ['-S', join(HERE, 'c'), '-B', BUILD], quiet)
  execFileSync('cmake', ['--build', BUILD, '-j', '2'], quiet)
}

async function loadPeer(name) {
  if (!(name in IN_C)) return { ...(await import(`./peers/${name}.mjs`)), name }
  const program = join(BUILD, name)
  if (!existsSync(program)) return undefined
  const version = execFileSync(program, ['version'], { encoding: 'utf8' }).trim()
  const handshake = name === 'libzmq-c' ? 'zmtp' : name === 'raw-c' ? undefined : 'sp'
  return { name, version, program, handshake, transports: IN_C[name], needsFreePort: true }
}

/**
 * Loads the peers by name; those in C whose library is not installed are left out, which CMake has told.
 *
 * @param needsClients whether connections are counted
 */
export async function loadPeers(names, needsClients) {
  if (names.some((name) => name === 'nanomsg' || name === 'zeromq')) installPackages()
  if (needsClients || names.some((name) => name in IN_C)) buildPrograms()
  return (await Promise.all(names.map(loadPeer))).filter((peer) => peer !== undefined)
}
