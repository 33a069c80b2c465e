// npm run prebuild -- --all | --here | --target NAME ... | --list [--twice]: compiles addons into prebuilds/ and checks
// them; --here that of this machine. --twice compiles each again elsewhere: the binaries must be the same.
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { checkTargets } from './check.mjs'
import { compileTarget } from './compile.mjs'
import { targets, targetsOf } from './targets.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const prebuilds = join(root, 'prebuilds')

function ofThisMachine() {
  const { platform, arch } = process
  const ofLinux = process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc'
  const libc = platform === 'linux' ? ofLinux : undefined
  const target = targets.find((row) => row.platform === platform && row.arch === arch && row.libc === libc)
  if (target === undefined) throw new Error(`there is no target for ${platform}-${arch}; --list shows which there are`)
  return [target]
}

const hashOf = (path) => createHash('sha256').update(readFileSync(path)).digest('hex')

/** A build from another folder, with a cache of its own, that must give the same bytes. */
async function compileElsewhere(target) {
  const folder = mkdtempSync(join(tmpdir(), 'nanomsg-prebuild-'))
  try {
    const tree = join(folder, 'another', 'tree')
    cpSync(join(root, 'native'), join(tree, 'native'), { recursive: true })
    // Signatures name the file.
    const output = join(folder, basename(target.file))
    await compileTarget(tree, target, join(folder, 'objects'), output)
    const [first, second] = [join(prebuilds, target.file), output].map(hashOf)
    if (first !== second) throw new Error(`${target.name} differs when it is built again: ${first} and ${second}`)
    console.log(`${target.file} is the same when it is built elsewhere: sha256 ${first}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Without arguments it has nothing to do: npm runs a script of this name before each npm run build. */
async function main() {
  const { values } = parseArgs({
    options: {
      all: { type: 'boolean' },
      here: { type: 'boolean' },
      list: { type: 'boolean' },
      target: { type: 'string', multiple: true },
      twice: { type: 'boolean' },
    },
  })
  if (values.list) return console.log(targets.map(({ name }) => name).join('\n'))
  if (!values.all && !values.here && values.target === undefined)
    return console.log('prebuild: nothing is prebuilt without --all, --here or --target NAME')
  const chosen = values.all ? targets : values.here ? ofThisMachine() : targetsOf(values.target)
  for (const target of chosen) {
    console.log(`compiling ${target.name}`)
    await compileTarget(root, target, join(root, 'build-prebuild'), join(prebuilds, target.file))
    if (values.twice) await compileElsewhere(target)
  }
  if (!checkTargets(chosen, prebuilds)) throw new Error('what was compiled is not fit to be published')
}

main().catch((error) => {
  console.error(`prebuild: ${error.stderr || error.message}`)
  process.exitCode = 1
})
