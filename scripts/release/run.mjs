// npm run release: everything between a finished change and `npm publish`. Stops with a sentence at the first thing
// that is missing, and ends with the folder release/. Publishing itself is left to the owner.
// npm run release -- --bump writes the version that CHANGELOG.md has, to be committed.
import { execFileSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { targets } from '../prebuild/targets.mjs'
import { fillReleaseFolder } from './folder.mjs'
import { fillIn, readOwner } from './owner.mjs'
import { bump, checkVersion } from './version.mjs'

const root = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../..')

function run(command, ...args) {
  console.log(`$ ${[command, ...args].join(' ')}`)
  execFileSync(command, args, { cwd: root, stdio: 'inherit' })
}

function checkTree(when) {
  const changes = execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' })
  if (changes !== '') throw new Error(`${when}, commit first:\n${changes.trimEnd()}`)
}

function release() {
  const owner = readOwner(root)
  checkVersion(root)
  checkTree('The tree has changes')
  fillIn(root, owner)
  checkTree('The addresses of the owner were filled in')
  run('npm', 'ci')
  run('npm', 'run', 'check')
  run('npm', 'run', 'prebuild', '--', '--all', '--twice')
  run('npm', 'run', 'build:ts')
  const { folder, tarball } = fillReleaseFolder(
    root,
    targets.map(({ file }) => file),
  )
  console.log(`Look at it (tar -tzf ${join(folder, tarball)}), then publish it: npm publish ${join(folder, tarball)}`)
  console.log('In a workflow of the repository that package.json names, add --provenance.')
}

try {
  const { values } = parseArgs({ options: { bump: { type: 'boolean' } } })
  if (values.bump) console.log(`The version is ${bump(root)}. Look at the changes, and commit them.`)
  else release()
} catch (error) {
  console.error(`release: ${error.message}`)
  process.exitCode = 1
}
