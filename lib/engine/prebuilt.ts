import { closeSync, openSync, readSync } from 'node:fs'

/** Every prebuilt addon of the package. The paths are literals, so that bundlers find the files. */
const prebuilt: Record<string, () => unknown> = {
  'linux-x64-glibc': () => require('../../prebuilds/linux-x64/nanomsg-native.glibc.node'),
  'linux-x64-musl': () => require('../../prebuilds/linux-x64/nanomsg-native.musl.node'),
  'linux-arm64-glibc': () => require('../../prebuilds/linux-arm64/nanomsg-native.glibc.node'),
  'linux-arm64-musl': () => require('../../prebuilds/linux-arm64/nanomsg-native.musl.node'),
  'linux-armv7-glibc': () => require('../../prebuilds/linux-arm/nanomsg-native.armv7.glibc.node'),
  'darwin-arm64': () => require('../../prebuilds/darwin-arm64/nanomsg-native.node'),
  'darwin-x64': () => require('../../prebuilds/darwin-x64/nanomsg-native.node'),
  'win32-x64': () => require('../../prebuilds/win32-x64/nanomsg-native.node'),
}

/** The program loader that a program names stands in its first bytes. */
const BYTES_OF_HEADERS = 4096

/** Reads the program that runs: process.report would take many milliseconds, as it looks at the network, too. */
function namesLoaderOfMusl(program: string): boolean {
  const bytes = Buffer.alloc(BYTES_OF_HEADERS)
  const file = openSync(program, 'r')
  try {
    return bytes.subarray(0, readSync(file, bytes)).includes('/ld-musl-')
  } finally {
    closeSync(file)
  }
}

/** The C library that this process runs with. The environment may say it, as for node-gyp-build. */
export function cLibrary(): string {
  const { LIBC } = process.env
  if (LIBC) return LIBC
  try {
    return namesLoaderOfMusl(process.execPath) ? 'musl' : 'glibc'
  } catch {
    return 'glibc'
  }
}

/** Which of the table fits this process. Addons for armv7 run on what is newer, and not on armv6. */
function keyOf({ platform, arch }: NodeJS.Process): string {
  if (platform !== 'linux') return `${platform}-${arch}`
  if (arch !== 'arm') return `${platform}-${arch}-${cLibrary()}`
  const variables = process.config.variables as { arm_version?: string | number }
  const version = Number(process.env.ARM_VERSION ?? variables.arm_version)
  return `${platform}-arm${version >= 7 ? 'v7' : ''}-${cLibrary()}`
}

/** What loads the prebuilt addon of this platform, if the package has one. */
export function findPrebuilt(): (() => unknown) | undefined {
  // With these variables another platform's addon is asked for: node-gyp-build looks for it.
  if (process.env.npm_config_platform || process.env.npm_config_arch) return undefined
  return prebuilt[keyOf(process)]
}
