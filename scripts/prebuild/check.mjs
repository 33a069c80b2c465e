// What must hold for a prebuilt addon, so that it loads on every system of its target.
// node scripts/prebuild/check.mjs [target ...] checks those in prebuilds/. --host PROGRAM: that a Node.js for macOS has
// what the target's addon takes from it.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { readElf } from './elf.mjs'
import { readMachO } from './macho.mjs'
import { readPe } from './pe.mjs'
import { ENTRY, isShown } from './shown.mjs'
import { targets, targetsOf } from './targets.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What every host gives: Node-API. libuv and OpenSSL are referred to weakly, as some hosts have neither; all else must
 * be in the C library. */
const OF_HOST = /^(napi|node_api)_/
const OF_LIBUV = /^uv_/
const OF_OPENSSL = /^(SSL|TLS|BIO|X509|PEM|ERR|EVP|OPENSSL)_|^i2d_X509$/
/** Other runtimes' names: a C++ library, or unwinding, that the target may lack. */
const OF_CPLUSPLUS = /^_Z|^__cxa_(?!finalize|atexit|thread_atexit_impl)|^_Unwind_|^__gxx/

/** Folders of the machine that built it. */
const PATHS = /\/(home|root|tmp|work|build|usr\/(lib|include|src))\/[\w./+-]+|node_modules\/[\w./-]+/g

const LIBRARY_OF_MACOS = '/usr/lib/libSystem.B.dylib'

const isNewer = (version, limit) => {
  const [a, b] = [version, limit].map((text) => text.split('.').map(Number))
  return a[0] !== b[0] ? a[0] > b[0] : a[1] > b[1]
}

function* checkLinking(elf, target) {
  if (elf.machine?.toLowerCase() !== target.machine.toLowerCase()) yield `is made for ${elf.machine}`
  for (const name of elf.needed) if (!target.needed.test(name)) yield `needs the library ${name}`
  for (const path of elf.runPaths) yield `looks for libraries in ${path}`
  if (!elf.isBoundAtOnce || !elf.isRelocationReadOnly)
    yield 'has addresses of functions that can be written (RELRO, NOW)'
  if (elf.isStackExecutable) yield 'has an executable stack'
  if (!elf.staysLoaded) yield 'can be unloaded while threads run in it (NODELETE)'
  for (const version of elf.glibcVersions)
    if (target.oldestLibc === undefined || isNewer(version, target.oldestLibc)) yield `needs glibc ${version}`
}

function* checkNames(elf, target) {
  // glibc gives each of its names a version. musl gives none: a name that it lacks shows only when the addon is loaded.
  const unknown = target.oldestLibc === undefined ? [] : elf.unknown
  for (const name of elf.required) {
    if (OF_LIBUV.test(name)) yield `cannot be loaded without ${name} of libuv`
    else if (OF_OPENSSL.test(name)) yield `cannot be loaded without ${name} of OpenSSL`
    else if (OF_CPLUSPLUS.test(name)) yield `needs ${name} of a C++ library`
    else if (unknown.includes(name) && !OF_HOST.test(name))
      yield `needs ${name}, which neither the host nor the C library has`
  }
}

function* checkExports({ exported }) {
  for (const name of exported) if (!isShown(name)) yield `exports ${name}`
  for (const name of [ENTRY, 'nn_socket']) if (!exported.includes(name)) yield `does not export ${name}`
}

function* checkElf(path, target) {
  const elf = readElf(path)
  yield* checkLinking(elf, target)
  yield* checkNames(elf, target)
  yield* checkExports(elf)
  // The engine without TLS needs none of them.
  if (!elf.weak.includes('SSL_new')) yield 'has no TLS'
}

/** The C++ library is linked in, and unwinding is the system's. Names of OpenSSL and libuv, which a host may lack, are
 * looked for at run time, since a weak name is none to each linker. */
function* checkMachO(path, target) {
  const found = readMachO(path)
  if (found.machine !== target.machine) yield `is made for ${found.machine}`
  if (found.oldestSystem !== target.oldestSystem) yield `is made for macOS ${found.oldestSystem}`
  if (!found.isSigned && found.machine === 'ARM64')
    yield 'has no signature, without which no processor of Apple runs it'
  if (found.ownName !== '@rpath/nanomsg-native.node') yield `calls itself ${found.ownName}`
  for (const name of found.needed) if (name !== LIBRARY_OF_MACOS) yield `needs the library ${name}`
  for (const path of found.runPaths) yield `looks for libraries in ${path}`
  for (const name of found.unknown)
    if (!OF_HOST.test(name)) yield `needs ${name}, which neither the host nor the system has`
  yield* checkExports(found)
  if (!found.sought.includes('SSL_new')) yield 'has no TLS'
  if (!found.sought.includes('uv_poll_init')) yield 'does not look for libuv'
}

/** The C++ library is linked in. Names of Node-API, OpenSSL and libuv are looked for at run time. */
function* checkPe(path, target) {
  const found = readPe(path)
  if (found.machine !== target.machine) yield `is made for ${found.machine}`
  if (found.madeAt !== 0) yield 'holds the time at which it was made'
  for (const name of found.needed) if (!target.needed.test(name)) yield `needs the library ${name}`
  if (!found.isPlacedAtRandom) yield 'cannot be loaded wherever the system wants (DYNAMIC_BASE, HIGH_ENTROPY_VA)'
  if (found.isDataExecutable) yield 'has data that can be executed (NX_COMPAT)'
  yield* checkExports(found)
  if (!found.sought.includes('SSL_new')) yield 'has no TLS'
  if (!found.sought.includes('napi_create_function')) yield 'does not look for Node-API'
  if (readFileSync(path).includes('/etc/')) yield 'names /etc, a folder that every user of Windows can make'
}

const checkFormat = { elf: checkElf, macho: checkMachO, pe: checkPe }

/** What is wrong with the file, a sentence each. */
export function faultsOf(path, target) {
  const ofFormat = checkFormat[target.format](path, target)
  const paths = new Set(readFileSync(path, 'latin1').match(PATHS))
  // Of its libraries. None of the machine that builds for it has that name.
  if (target.format === 'macho') for (const found of paths) if (found.startsWith('/usr/lib/')) paths.delete(found)
  const { size } = statSync(path)
  return [
    ...ofFormat,
    ...[...paths].map((found) => `contains the path ${found}`),
    ...(size > target.maxSize ? [`has ${size} bytes, more than ${target.maxSize}`] : []),
  ]
}

/** What the addon for macOS takes from its host and the program at `host` does not have: TLS and libuv included, which
 * every Node.js has. */
export function absentFrom(host, path) {
  const { exported } = readMachO(host)
  const given = new Set(exported)
  const { unknown, sought } = readMachO(path)
  return [...unknown, ...sought].filter((name) => !given.has(name))
}

/** Prints what is wrong with the targets' files; whether nothing is. */
export function checkTargets(chosen, folder) {
  let isGood = true
  for (const target of chosen) {
    const path = join(folder, target.file)
    const faults = existsSync(path) ? faultsOf(path, target) : ['is not there']
    for (const fault of faults) console.error(`${target.file} ${fault}`)
    if (faults.length > 0) isGood = false
    else console.log(`${target.file} is good, ${statSync(path).size} bytes`)
  }
  return isGood
}

/** Whether the program at `host` has what the addon for its system takes from it. */
function checkHost(host, target) {
  const absent = absentFrom(host, join(root, 'prebuilds', target.file))
  for (const name of absent) console.error(`${host} has no ${name}`)
  if (absent.length === 0) console.log(`${host} has all that ${target.file} takes from it`)
  return absent.length === 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options = { host: { type: 'string' } }
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  const chosen = positionals.length > 0 ? targetsOf(positionals) : targets
  const isGood = checkTargets(chosen, join(root, 'prebuilds'))
  const fits = values.host === undefined || chosen.every((target) => checkHost(values.host, target))
  process.exitCode = isGood && fits ? 0 : 1
}
