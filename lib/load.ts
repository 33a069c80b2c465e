import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Functions, Shared } from './native.js'

interface Addon {
  attach(shared: Shared): Functions
}

const home = join(__dirname, '..')
/** What nanomsg-native-build makes. */
const compiled = join(home, 'native/build/Release/nanomsg_native.node')

/** Loads the addon that was built on this machine, or the prebuilt one of this platform. */
export function loadAddon(): Addon {
  const load = require('node-gyp-build') as (folder: string) => Addon
  try {
    return existsSync(compiled) ? require(compiled) : load(home)
  } catch (error) {
    throw loadError(error)
  }
}

function prebuiltPlatforms(): string {
  try {
    const platforms = readdirSync(join(home, 'prebuilds'))
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
      ? 'To compile it, run: npx nanomsg-native-build. That needs gcc or clang, make and Python 3.'
      : `The sources do not compile on ${platform} yet.`,
    `The reason: ${error instanceof Error ? error.message : error}`,
  ].join('\n')
  return Object.assign(new Error(message, { cause: error }), { code: 'ERR_DLOPEN_FAILED' })
}
