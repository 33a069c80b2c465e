// The script that prepares a release: what it refuses, and where it writes the owner's addresses.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const project = resolve(__dirname, '../..')
const owner = {
  homepage: 'https://example.org/nanomsg-native',
  repository: 'https://example.org/nanomsg-native.git',
  bugs: 'https://example.org/nanomsg-native/issues',
  securityContact: 'security@example.org',
}

describe('npm run release', () => {
  let root: string

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'nanomsg-release-'))
    for (const path of ['package.json', 'SECURITY.md', 'CHANGELOG.md', 'scripts/release'])
      cpSync(join(project, path), join(root, path), { recursive: true })
    git('init', '--quiet')
    commit()
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  const git = (...args: string[]) => spawnSync('git', args, { cwd: root, encoding: 'utf8' })
  const commit = () => {
    git('add', '--all')
    git('-c', 'user.name=t', '-c', 'user.email=t@example.org', 'commit', '--quiet', '-m', 'x')
  }
  const fill = (values: object) => {
    writeFileSync(join(root, 'scripts/release/owner.json'), JSON.stringify(values))
    commit()
  }
  const release = () => {
    const { status, stderr, stdout } = spawnSync(process.execPath, ['scripts/release/run.mjs'], {
      cwd: root,
      encoding: 'utf8',
    })
    return { status, said: stderr + stdout }
  }

  test('stops and names what the owner has to fill in', () => {
    fill({ ...owner, bugs: '', securityContact: ' ' })
    const { status, said } = release()
    expect(status).toBe(1)
    expect(said).toMatch(/^release: fill in scripts\/release\/owner\.json before a release; empty are\n {2}bugs: /)
    expect(said).toContain('securityContact: ')
    expect(said).not.toContain('homepage')
  })

  test('stops while the changelog has no section for the version', () => {
    writeFileSync(join(root, 'CHANGELOG.md'), '# Changelog\n')
    fill(owner)
    expect(release()).toEqual({ status: 1, said: expect.stringContaining('CHANGELOG.md has no section for') })
  })

  test('stops while the tree has changes', () => {
    fill(owner)
    writeFileSync(join(root, 'new.txt'), '')
    expect(release()).toEqual({ status: 1, said: expect.stringContaining('new.txt') })
  })

  test('writes the addresses to package.json and SECURITY.md, to be committed', () => {
    fill(owner)
    expect(release()).toEqual({ status: 1, said: expect.stringContaining('commit first') })
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    expect(manifest).toMatchObject({
      name: 'nanomsg-native',
      homepage: owner.homepage,
      repository: { type: 'git', url: owner.repository },
      bugs: { url: owner.bugs },
    })
    const policy = readFileSync(join(root, 'SECURITY.md'), 'utf8')
    expect(policy).toContain(`<!-- contact -->\n${owner.securityContact}\n<!-- /contact -->`)
    expect(policy).not.toContain('not filled in')
  })
})
