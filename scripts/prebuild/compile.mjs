// Compiles and links one target.
import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { hideExports as hideExportsOfMachO } from './macho-hide.mjs'
import { hideExports as hideExportsOfPe } from './pe-hide.mjs'
import { isShown } from './shown.mjs'
import { readSources } from './sources.mjs'
import { findAddonApi, findNodeHeaders, findZig } from './tools.mjs'

const run = promisify(execFile)

/** Where the linker has no list of what to export. */
const hideExports = { macho: hideExportsOfMachO, pe: hideExportsOfPe }

/** Runs `work` for each item, as many at a time as there are processors. */
async function forEachAtOnce(items, work) {
  const left = [...items]
  const worker = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
}

/** Builds `target` from the tree at `root` into `output`; objects go below `folder`. */
export async function compileTarget(root, target, folder, output) {
  const zig = findZig()
  const sources = readSources(root, target.platform)
  const cache = join(folder, 'zig-cache')
  const env = { ...process.env, ZIG_LOCAL_CACHE_DIR: cache, ZIG_GLOBAL_CACHE_DIR: cache }
  // Relative paths and maps for the others: where the tree and the tools lie must not show in the binary.
  const headers = [findNodeHeaders(), findAddonApi()]
  const common = [
    '-target',
    target.zig,
    '-fPIC',
    ...headers.flatMap((path) => ['-isystem', path, `-ffile-prefix-map=${path}=include`]),
    `-ffile-prefix-map=${dirname(zig)}=zig`,
    ...sources.folders.map((path) => `-I${path}`),
    ...sources.defines.map((name) => `-D${name}`),
    ...sources.flags,
    '-Werror',
    ...(target.compile ?? []),
  ]
  const objects = join(folder, target.name)
  const objectOf = (source) => join(objects, `${source}.o`)
  const compile = (compiler, flags) => (source) => {
    mkdirSync(dirname(objectOf(source)), { recursive: true })
    return run(zig, [compiler, ...common, ...flags, '-c', source, '-o', objectOf(source)], { cwd: root, env })
  }
  await forEachAtOnce(sources.c, compile('cc', sources.flagsOfC))
  await forEachAtOnce(sources.cc, compile('c++', sources.flagsOfCc))
  const all = [...sources.c, ...sources.cc].map(objectOf)
  // In a folder of its own: for Windows the linker puts a library of imports beside it. A signature names the file.
  const linked = join(objects, 'linked', basename(output))
  for (const file of [linked, output]) mkdirSync(dirname(file), { recursive: true })
  await run(zig, ['c++', '-target', target.zig, ...target.link, ...all, '-o', linked], { cwd: root, env })
  hideExports[target.format]?.(linked, isShown)
  copyFileSync(linked, output)
}
