import { existsSync, readdirSync } from 'node:fs'
import { constants } from 'node:os'
import { join, resolve } from 'node:path'
import type { Functions, Shared } from './binding.js'
import { cLibrary, findPrebuilt } from './prebuilt.js'
import { type Shortage, shortageHints, shortageOf } from './shortages.js'

interface Addon {
  attach(shared: Shared): Functions | undefined
}

const home = join(__dirname, '..', '..')
/** What npm run build makes in a clone. */
const built = join(home, 'build/Release/nanomsg_native.node')
/** What nanomsg-native-build makes. */
const compiled = join(home, 'native/build/Release/nanomsg_native.node')

/** Named by its path: npx would look for a package of that name where the command is not linked. */
export const buildCommand = join(home, 'dist/build/main.js')

/** The functions of the addon, which has none where it lacked memory when it was started. */
export function checkFunctions(functions: Functions | undefined): Functions {
  if (functions === undefined) throw shortageError('ENOMEM', 'the addon could not be started')
  return functions
}

/** What was built on this machine: by npm run build in a clone, or by nanomsg-native-build. Whole names, since the
 * folder of a bundled program may have a build of something else. */
function findBuilt(): string | undefined {
  if (process.env.PREBUILDS_ONLY) return undefined
  return [built, compiled].find((path) => existsSync(path))
}

/** A path that is not known before: bundlers must not take it for one of their own modules. node:module takes a while
 * to load, and the addon that comes with the package does not need it. */
function requireFile(path: string): Addon {
  const { createRequire } = require('node:module') as typeof import('node:module')
  return createRequire(join(home, 'package.json'))(path) as Addon
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND'
}

/** node-gyp-build looks for files that the package does not come with: prebuilds/ of another name, or beside the
 * program of Node.js. */
function search(folder: string): Addon {
  const load = require('node-gyp-build') as (folder: string) => Addon
  return load(folder)
}

/** The addon that comes with the package. One that is there and cannot be loaded is what the user has to know of. */
function loadPrebuilt(): Addon {
  try {
    const load = findPrebuilt()
    if (load !== undefined) return load() as Addon
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  return search(home)
}

function load(): Addon {
  const { NANOMSG_NATIVE_PREBUILD: chosen } = process.env
  if (chosen) return chosen.endsWith('.node') ? requireFile(resolve(chosen)) : search(chosen)
  const path = findBuilt()
  return path === undefined ? loadPrebuilt() : requireFile(path)
}

/** Loads what the environment names, the addon that was built on this machine, or the prebuilt one of this platform. */
export function loadAddon(): Addon {
  try {
    return load()
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
function versionedCLibrary(): string {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined
  const version = report?.header?.glibcVersionRuntime
  return version === undefined ? cLibrary() : `glibc ${version}`
}

/** Where an addon was looked for. */
function tried(): string {
  const { NANOMSG_NATIVE_PREBUILD: chosen } = process.env
  if (chosen) return `${chosen}, which NANOMSG_NATIVE_PREBUILD names`
  return `${compiled}, ${join(home, 'build')} and ${join(home, 'prebuilds')} (there: ${prebuiltPlatforms()})`
}

/** What can be done about it. */
function advice(): string {
  const { platform } = process
  if (!existsSync(join(home, 'native/sources.txt')))
    return (
      'This program is a bundle that has come without the addon: copy it beside the bundle, ' +
      'have the bundler leave nanomsg-native out (external), or name the file in NANOMSG_NATIVE_PREBUILD.'
    )
  return existsSync(join(home, `native/sources.${platform}.txt`))
    ? `To compile it, run: node ${buildCommand}. That needs gcc or clang, make and Python 3.`
    : `The sources do not compile on ${platform} yet.`
}

/** What was tried, why it does not do, and what to do. */
function loadError(error: unknown): Error {
  const { platform, arch, version } = process
  const message = [
    `nanomsg-native has no addon for Node.js ${version} on ${platform}-${arch}${platform === 'linux' ? `, ${versionedCLibrary()}` : ''}.`,
    `Tried: ${tried()}.`,
    advice(),
    `The reason: ${error instanceof Error ? error.message : error}`,
  ].join('\n')
  return Object.assign(new Error(message, { cause: error }), { code: 'ERR_DLOPEN_FAILED' })
}
