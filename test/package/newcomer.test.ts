// The first commands in a fresh clone of the repository.
import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../cli/programs.js'

const project = resolve(__dirname, '../..')
const basics = ['bash', 'dirname', 'env', 'sed']

/** Runs a script where there are a few programs and no others. */
function runWith(programs: readonly string[], script: string, ...args: string[]) {
  using folder = temporaryFolder()
  const bin = join(folder.path, 'bin')
  mkdirSync(bin)
  for (const name of [...basics, ...programs]) {
    const { stdout } = spawnSync('bash', ['-c', `command -v ${name}`], { encoding: 'utf8' })
    symlinkSync(stdout.trim(), join(bin, name))
  }
  const { status, stdout, stderr } = spawnSync('bash', [join(project, 'scripts', script), ...args], {
    env: { PATH: bin },
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { status, stdout, stderr }
}

const hint = 'scripts/install-test-tools installs what is needed besides Node.js\n'

describe('without a program that is needed', () => {
  test('npm test says which, before it builds anything', () => {
    const { status, stdout, stderr } = runWith(['node', 'npm', 'cc', 'c++', 'python3'], 'test')
    expect({ status, stdout, stderr }).toEqual({ status: 1, stdout: '', stderr: `missing: make cmake\n${hint}` })
  })

  test('the tests of the engine say which', () => {
    const { status, stderr } = runWith(['cc', 'make'], 'test-native')
    expect({ status, stderr }).toEqual({ status: 1, stderr: `missing: cmake\n${hint}` })
  })

  test('the demonstration says which', () => {
    const { status, stdout, stderr } = runWith([], 'demo')
    expect({ status, stdout, stderr }).toEqual({ status: 1, stdout: '', stderr: `missing: node npm\n${hint}` })
  })
})

test('a Node.js that is too old is told', () => {
  using folder = temporaryFolder()
  writeFileSync(join(folder.path, 'node'), '#!/bin/sh\necho v18.20.1\n', { mode: 0o755 })
  const { status, stderr } = spawnSync('bash', [join(project, 'scripts/need'), 'node'], {
    env: { PATH: `${folder.path}:${process.env.PATH}` },
    encoding: 'utf8',
  })
  expect({ status, stderr }).toEqual({ status: 1, stderr: 'Node.js 20 or later is needed; this is v18.20.1\n' })
})
