// What must hold for a prebuilt addon, so that it loads on every system of its target.
// node scripts/prebuild/check.mjs [target ...] checks those in prebuilds/.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readElf } from './elf.mjs'
import { targets, targetsOf } from './targets.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What every host gives: Node-API. libuv and OpenSSL are referred to weakly, as some hosts have neither; all else must
 * be in the C library. */
const OF_HOST = /^(napi|node_api)_/
const OF_LIBUV = /^uv_/
const OF_OPENSSL = /^(SSL|TLS|BIO|X509|PEM|ERR|EVP|OPENSSL)_|^i2d_X509$/
/** Other runtimes' names: a C++ library, or unwinding, that the target may lack. */
const OF_CPLUSPLUS = /^_Z|^__cxa_(?!finalize|atexit|thread_atexit_impl)|^_Unwind_|^__gxx/

const EXPORTS = /^(nn_[a-z_]+|napi_register_module_v1|node_api_module_get_api_version_v1)$/
const ENTRY = 'napi_register_module_v1'

/** Folders of the machine that built it. */
const PATHS = /\/(home|root|tmp|work|build|usr\/(lib|include|src))\/[\w./+-]+|node_modules\/[\w./-]+/g

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
  for (const name of elf.exported) if (!EXPORTS.test(name)) yield `exports ${name}`
  if (!elf.exported.includes(ENTRY)) yield `does not export ${ENTRY}`
  if (!elf.exported.includes('nn_socket')) yield 'does not export nn_socket'
  // The engine without TLS needs none of them.
  if (!elf.weak.includes('SSL_new')) yield 'has no TLS'
}

/** What is wrong with the file, a sentence each. */
export function faultsOf(path, target) {
  const elf = readElf(path)
  const paths = new Set(readFileSync(path, 'latin1').match(PATHS))
  const { size } = statSync(path)
  return [
    ...checkLinking(elf, target),
    ...checkNames(elf, target),
    ...[...paths].map((found) => `contains the path ${found}`),
    ...(size > target.maxSize ? [`has ${size} bytes, more than ${target.maxSize}`] : []),
  ]
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

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.slice(2)
  const chosen = names.length > 0 ? targetsOf(names) : targets
  process.exitCode = checkTargets(chosen, join(root, 'prebuilds')) ? 0 : 1
}
