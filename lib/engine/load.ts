import { existsSync, readdirSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import type { Functions, Shared } from './binding.js'
import { type Shortage, shortageHints, shortageOf } from './shortages.js'

interface Addon {
  attach(shared: Shared): Functions | undefined
}

const home = join(__dirname, '..', '..')
/** What nanomsg-native-build makes. */
const compiled = join(home, 'native/build/Release/nanomsg_native.node')

/** Named by its path: npx would look for a package of that name where the command is not linked. */
export const buildCommand = join(home, 'dist/build/main.js')

/** The functions of the addon, which has none where it lacked memory when it was started. */
export function checkFunctions(functions: Functions | undefined): Functions {
  if (functions === undefined) throw shortageError('ENOMEM', 'the addon could not be started')
  return functions
}

/** What nanomsg-native-build has made comes first, unless the environment chooses, or this is a clone that has been
 * built. */
function isCompiled(): boolean {
  const { NANOMSG_NATIVE_PREBUILD, PREBUILDS_ONLY } = process.env
  return !NANOMSG_NATIVE_PREBUILD && !PREBUILDS_ONLY && !existsSync(join(home, 'build/Release')) && existsSync(compiled)
}

/** Loads the addon that was built on this machine, or the prebuilt one of this platform. */
export function loadAddon(): Addon {
  try {
    const load = require('node-gyp-build') as (folder: string) => Addon
    return isCompiled() ? require(compiled) : load(home)
  } catch (error) {
    const shortage = shortageOf(error) ?? shortageOfReading()
    throw shortage === undefined ? loadError(error) : shortageError(shortage, error)
  }
}

/** What the system lacks when it is asked for the files of the package: node-gyp-build takes a folder that it cannot
 * read for an empty one. */
function shortageOfReading(): Shortage | undefined {
  for (const folder of [join('build', 'Release'), 'prebuilds']) {
    try {
      readdirSync(join(home, folder))
    } catch (error) {
      const shortage = shortageOf(error)
      if (shortage !== undefined) return shortage
    }
  }
  return undefined
}

/** The addon may be there, but the system does not give what loading it takes. */
function shortageError(code: Shortage, error: unknown): Error {
  const message = [
    `${code}: nanomsg-native cannot load its addon from ${home}. ${shortageHints[code]}.`,
    `The reason: ${error instanceof Error ? error.message : error}`,
  ].join('\n')
  return Object.assign(new Error(message, { cause: error }), { code, errno: constants.errno[code], syscall: 'dlopen' })
}

function prebuiltPlatforms(): string {
  try {
    const entries = readdirSync(join(home, 'prebuilds'), { withFileTypes: true })
    const platforms = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
    return platforms.length > 0 ? platforms.join(', ') : 'none'
  } catch {
    return 'none'
  }
}

/** Such as `glibc 2.36`. */
function cLibrary(): string {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined
  const version = report?.header?.glibcVersionRuntime
  return version === undefined ? 'musl' : `glibc ${version}`
}

/** What was tried, why it does not do, and what to do. */
function loadError(error: unknown): Error {
  const { platform, arch, version } = process
  const message = [
    `nanomsg-native has no addon for Node.js ${version} on ${platform}-${arch}${platform === 'linux' ? `, ${cLibrary()}` : ''}.`,
    `Tried: ${compiled}, ${join(home, 'build')} and ${join(home, 'prebuilds')} (there: ${prebuiltPlatforms()}).`,
    platform === 'linux'
      ? `To compile it, run: node ${buildCommand}. That needs gcc or clang, make and Python 3.`
      : `The sources do not compile on ${platform} yet.`,
    `The reason: ${error instanceof Error ? error.message : error}`,
  ].join('\n')
  return Object.assign(new Error(message, { cause: error }), { code: 'ERR_DLOPEN_FAILED' })
}
