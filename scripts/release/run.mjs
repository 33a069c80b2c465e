// npm run release: everything between a finished change and `npm publish`. Stops with a sentence at the first thing
// that is missing. Publishing itself is left to the owner.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fillIn, readOwner } from './owner.mjs'

const root = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../..')

function run(command, ...args) {
  console.log(`$ ${[command, ...args].join(' ')}`)
  execFileSync(command, args, { cwd: root, stdio: 'inherit' })
}

function checkChangelog() {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8')
  if (!changelog.split('\n').some((line) => line.startsWith(`## ${version}`)))
    throw new Error(`CHANGELOG.md has no section for ${version}: write what users get with it`)
}

function checkTree(when) {
  const changes = execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' })
  if (changes !== '') throw new Error(`${when}, commit first:\n${changes.trimEnd()}`)
}

try {
  const owner = readOwner(root)
  checkChangelog()
  checkTree('The tree has changes')
  fillIn(root, owner)
  checkTree('The addresses of the owner were filled in')
  run('npm', 'ci')
  run('npm', 'run', 'check')
  run('npm', 'run', 'prebuild', '--', '--all', '--twice')
  run('npm', 'pack')
  console.log('Look at the tarball (tar -tzf), then publish it with npm publish.')
} catch (error) {
  console.error(`release: ${error.message}`)
  process.exitCode = 1
}
