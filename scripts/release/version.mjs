// The version of the package: CHANGELOG.md decides it. `## 1.2.0 (unreleased)` is what is being made;
// `npm run release -- --bump` dates that section and writes the version wherever the package has it.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const HEADING = /^## (\S+) \(([^)]+)\)$/gm
const VERSION = /^(\d+)\.(\d+)\.(\d+)$/

/** The sections of a changelog, newest first: their version, and the date, or `unreleased`. */
export function readSections(changelog) {
  return [...changelog.matchAll(HEADING)].map(([heading, version, date]) => ({ heading, version, date }))
}

function isNewer(version, than) {
  const [a, b] = [version, than].map((text) => VERSION.exec(text).slice(1).map(Number))
  const different = a.findIndex((part, index) => part !== b[index])
  return different !== -1 && a[different] > b[different]
}

function sectionsOf(root) {
  const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8')
  const sections = readSections(changelog)
  if (sections.length === 0)
    throw new Error('CHANGELOG.md has no section of the form "## 1.2.0 (unreleased)": write what users get')
  const wrong = sections.find(({ version }) => !VERSION.test(version))
  if (wrong !== undefined) throw new Error(`"${wrong.heading}" in CHANGELOG.md has no version of the form 1.2.0`)
  return { changelog, sections }
}

/** Throws an Error unless the newest section of the changelog is that of the package's version, and has a date. */
export function checkVersion(root) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const [newest] = sectionsOf(root).sections
  if (newest.version !== version)
    throw new Error(`package.json says ${version}, CHANGELOG.md ${newest.version}: run npm run release -- --bump`)
  if (newest.date === 'unreleased')
    throw new Error(`CHANGELOG.md calls ${version} unreleased: run npm run release -- --bump`)
}

function replaceIn(file, from, to) {
  const text = readFileSync(file, 'utf8')
  if (!text.includes(from)) throw new Error(`${file} has no ${from}`)
  writeFileSync(file, text.replaceAll(from, to))
}

/** Dates the newest section, which must be unreleased, and writes its version to package.json and its lock. */
export function bump(root, today = new Date()) {
  const { changelog, sections } = sectionsOf(root)
  const [newest, former] = sections
  if (newest.date !== 'unreleased')
    throw new Error(`the newest section of CHANGELOG.md, ${newest.version}, is released: begin one for what is new`)
  if (former !== undefined && !isNewer(newest.version, former.version))
    throw new Error(`CHANGELOG.md has ${newest.version} above ${former.version}, which is not older`)

  const manifestFile = join(root, 'package.json')
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8'))
  replaceIn(manifestFile, `"version": "${manifest.version}"`, `"version": "${newest.version}"`)
  const lockFile = join(root, 'package-lock.json')
  const lock = JSON.parse(readFileSync(lockFile, 'utf8'))
  lock.version = newest.version
  lock.packages[''].version = newest.version
  writeFileSync(lockFile, `${JSON.stringify(lock, null, 2)}\n`)

  const date = today.toISOString().slice(0, 10)
  writeFileSync(
    join(root, 'CHANGELOG.md'),
    changelog.replace(newest.heading, () => `## ${newest.version} (${date})`),
  )
  return newest.version
}
