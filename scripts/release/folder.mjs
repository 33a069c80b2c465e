// The folder release/: the tarball, its bill of materials and their checksums.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { makeBillOfMaterials, packagesOf } from './sbom.mjs'

const MB = 1000 * 1000
const MAX_PACKED = 6 * MB
/** With the packages that it depends on. */
const MAX_INSTALLED = 10 * MB

const inMB = (bytes) => `${(bytes / MB).toFixed(1)} MB`

function sizeOf(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  return files.reduce((sum, { parentPath, path, name }) => sum + statSync(join(parentPath ?? path, name)).size, 0)
}

/** npm without scripts: what is packed has been built and checked before. */
function pack(root, destination) {
  const options = ['pack', '--json', '--ignore-scripts', '--pack-destination', destination]
  return JSON.parse(
    execFileSync('npm', options, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  )[0]
}

/** The files that programs and commands begin with. */
function entriesOf(root) {
  const { exports, bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const faces = Object.values(exports).flatMap((face) => [face.import, face.require])
  return [...faces.flatMap((face) => face?.default ?? []), ...Object.values(bin)].map((path) => posix.normalize(path))
}

/** All that these load of our own, at once or on its first use; a file that is not packed leads to no others. */
function loadedBy(entries, root, packed) {
  const found = new Set(entries)
  for (const path of found) {
    if (!packed.has(path)) continue
    const loads = readFileSync(join(root, path), 'utf8').matchAll(/(?:require\(|from )['"](\.{1,2}\/[^'"]+\.js)['"]/g)
    for (const [, other] of loads) found.add(posix.join(posix.dirname(path), other))
  }
  return [...found]
}

/** What is missing in the tarball, or too large, a sentence each. */
function faultsOf(root, { files, size, unpackedSize }, addons, dependencies) {
  const packed = new Set(files.map(({ path }) => path))
  const needed = [...loadedBy(entriesOf(root), root, packed), ...addons.map((file) => `prebuilds/${file}`)]
  const missing = needed.filter((path) => !packed.has(path))
  const installed = unpackedSize + dependencies.reduce((sum, folder) => sum + sizeOf(folder), 0)
  console.log(`packed ${inMB(size)}, installed with what it depends on ${inMB(installed)}`)
  return [
    ...missing.map((path) => `it has no ${path}`),
    ...(size > MAX_PACKED ? [`it has ${inMB(size)}, more than ${inMB(MAX_PACKED)}`] : []),
    ...(installed > MAX_INSTALLED ? [`it takes ${inMB(installed)} installed, more than ${inMB(MAX_INSTALLED)}`] : []),
  ]
}

/** Makes release/ anew from what has been built; `addons` are the files that prebuilds/ must have. */
export function fillReleaseFolder(root, addons) {
  const absent = addons.filter((file) => !existsSync(join(root, 'prebuilds', file)))
  if (absent.length > 0) throw new Error(`prebuilds/ has no ${absent.join(', ')}: run npm run prebuild -- --all`)
  const folder = join(root, 'release')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)

  const tarball = pack(root, folder)
  const bill = makeBillOfMaterials(root, addons)
  const dependencies = packagesOf(bill).map((name) => join(root, 'node_modules', name))
  const faults = faultsOf(root, tarball, addons, dependencies)
  if (faults.length > 0) throw new Error(`the tarball is not fit to be published: ${faults.join('; ')}`)

  const billName = tarball.filename.replace(/\.tgz$/, '.cdx.json')
  writeFileSync(join(folder, billName), `${JSON.stringify(bill, null, 2)}\n`)
  const sums = [tarball.filename, billName].map((name) => {
    const sum = createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex')
    return `${sum}  ${name}\n`
  })
  writeFileSync(join(folder, 'SHA256SUMS'), sums.join(''))
  return { folder, tarball: tarball.filename }
}
