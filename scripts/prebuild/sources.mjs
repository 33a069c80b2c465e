// What the addon is made of: the lists and flags of native/addon.gypi, which node-gyp compiles by, so that both builds
// have one truth.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** gyp's notation is JSON with comments, as far as this file uses it. */
function readGyp(path) {
  return JSON.parse(readFileSync(path, 'utf8').replace(/^\s*#.*$/gm, '')).targets[0]
}

const listed = (path) => readFileSync(path, 'utf8').trim().split(/\s+/)
const ofNative = (name) => name.replace('<(nn_native)', 'native')

/** The engine's names of platforms where they are not those of Node.js. */
const ENGINES_NAMES = { win32: 'windows' }

/** Of an addon whose TLS is the host's OpenSSL. Paths are relative to the root. */
export function readSources(root, nodesName) {
  const platform = ENGINES_NAMES[nodesName] ?? nodesName
  const gyp = readGyp(join(root, 'native/addon.gypi'))
  const [, tls] = gyp.conditions.find(([condition]) => condition === 'nn_has_openssl==1')
  const [, posix] = gyp.conditions.find(([condition]) => condition === "OS!='win'")
  const shared = platform === 'windows' ? [] : posix.include_dirs
  const lists = ['native/sources.txt', `native/sources.${platform}.txt`]
  if (platform !== 'windows') lists.push('native/sources.posix.txt')
  const glue = readdirSync(join(root, 'native/binding')).filter((name) => name.endsWith('.cc'))
  const release = gyp.configurations.Release
  return {
    c: [
      ...lists.flatMap((list) => listed(join(root, list))).map((name) => `native/${name}`),
      ...tls.sources.map(ofNative),
    ],
    cc: glue.sort().map((name) => `native/binding/${name}`),
    folders: [...gyp.include_dirs, ...shared].map((name) => ofNative(name).replace('<(nn_platform)', platform)),
    defines: [...gyp.defines, ...tls.defines, ...release.defines],
    flags: [...gyp.cflags, ...release.cflags],
    flagsOfC: gyp.cflags_c,
    flagsOfCc: gyp.cflags_cc.filter((flag) => !flag.startsWith('<')),
  }
}
