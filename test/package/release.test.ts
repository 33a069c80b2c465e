// The script that prepares a release: what it refuses, what it writes, and what the folder has that it ends with.
import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const project = resolve(__dirname, '../..')
const manifest = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))
const { version } = manifest
const isOurs = (path: string) => !path.includes('node_modules')
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
    const paths = [
      'package.json',
      'package-lock.json',
      'SECURITY.md',
      'CHANGELOG.md',
      'scripts/release',
      'scripts/prebuild',
    ]
    for (const path of paths) cpSync(join(project, path), join(root, path), { recursive: true, filter: isOurs })
    write('CHANGELOG.md', `# Changelog\n\n## ${version} (2026-01-31)\n\nSomething.\n`)
    git('init', '--quiet')
    commit()
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  const read = (path: string) => readFileSync(join(root, path), 'utf8')
  const write = (path: string, content: string | Buffer) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  const git = (...args: string[]) => spawnSync('git', args, { cwd: root, encoding: 'utf8' })
  const commit = () => {
    git('add', '--all')
    git('-c', 'user.name=t', '-c', 'user.email=t@example.org', 'commit', '--quiet', '-m', 'x')
  }
  const fill = (values: object) => {
    writeFileSync(join(root, 'scripts/release/owner.json'), JSON.stringify(values))
    commit()
  }
  const release = (...args: string[]) => {
    const { status, stderr, stdout } = spawnSync(process.execPath, ['scripts/release/run.mjs', ...args], {
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
    write('CHANGELOG.md', '# Changelog\n')
    fill(owner)
    expect(release()).toEqual({ status: 1, said: expect.stringContaining('CHANGELOG.md has no section') })
    write('CHANGELOG.md', '# Changelog\n\n## 99.0.0 (2026-01-31)\n')
    fill(owner)
    expect(release()).toEqual({ status: 1, said: expect.stringContaining(`package.json says ${version}`) })
    write('CHANGELOG.md', `# Changelog\n\n## ${version} (unreleased)\n`)
    fill(owner)
    expect(release()).toEqual({ status: 1, said: expect.stringContaining('run npm run release -- --bump') })
  })

  describe('-- --bump', () => {
    const former = `## ${version} (2026-01-31)`

    test('writes the version of the changelog to the package, and the date to the changelog', () => {
      write('CHANGELOG.md', `# Changelog\n\n## 99.1.0 (unreleased)\n\nNew.\n\n${former}\n`)
      expect(release('--bump')).toEqual({ status: 0, said: expect.stringContaining('The version is 99.1.0') })
      expect(JSON.parse(read('package.json'))).toMatchObject({ name: 'nanomsg-native', version: '99.1.0' })
      expect(JSON.parse(read('package-lock.json'))).toMatchObject({
        version: '99.1.0',
        packages: { '': { version: '99.1.0' } },
      })
      const today = new Date().toISOString().slice(0, 10)
      expect(read('CHANGELOG.md')).toBe(`# Changelog\n\n## 99.1.0 (${today})\n\nNew.\n\n${former}\n`)
      expect(git('diff', '--stat', 'HEAD').stdout).toMatch(/package\.json +\| 2 \+-/)
    })

    test('refuses a version that is released, older than the former one, or none', () => {
      expect(release('--bump')).toEqual({ status: 1, said: expect.stringContaining('is released: begin one') })
      write('CHANGELOG.md', `# Changelog\n\n## 0.0.9 (unreleased)\n\n${former}\n`)
      expect(release('--bump')).toEqual({ status: 1, said: expect.stringContaining('which is not older') })
      write('CHANGELOG.md', `# Changelog\n\n## next (unreleased)\n\n${former}\n`)
      expect(release('--bump')).toEqual({ status: 1, said: expect.stringContaining('no version of the form') })
      expect(JSON.parse(read('package.json')).version).toBe(version)
    })
  })

  describe('ends with a folder', () => {
    const addons = ['linux-x64/nanomsg-native.glibc.node', 'win32-x64/nanomsg-native.node']
    const names = [`nanomsg-native-${version}.tgz`, `nanomsg-native-${version}.cdx.json`]

    beforeEach(() => {
      cpSync(join(project, 'dist'), join(root, 'dist'), { recursive: true })
      for (const addon of addons) write(`prebuilds/${addon}`, `of prebuilds/${addon}`)
      for (const name of [...Object.keys(manifest.dependencies), 'node-addon-api'])
        cpSync(join(project, 'node_modules', name), join(root, 'node_modules', name), { recursive: true })
      write('.gitignore', 'node_modules\n')
      commit()
    })
    const fillFolder = () => {
      const program = `
        import { fillReleaseFolder } from './scripts/release/folder.mjs'
        try { console.log(JSON.stringify(fillReleaseFolder(process.cwd(), ${JSON.stringify(addons)}))) }
        catch (error) { console.log(error.message) }`
      const options = { cwd: root, encoding: 'utf8' } as const
      return spawnSync(process.execPath, ['--input-type=module', '-e', program], options).stdout
    }

    test('that has the tarball, its bill of materials and their checksums', () => {
      expect(fillFolder()).toContain(`"tarball":"${names[0]}"`)
      expect(readdirSync(join(root, 'release')).sort()).toEqual(['SHA256SUMS', ...names].sort())
      const check = spawnSync('sha256sum', ['--check', 'SHA256SUMS'], { cwd: join(root, 'release'), encoding: 'utf8' })
      expect(check).toMatchObject({ status: 0, stdout: names.map((name) => `${name}: OK\n`).join('') })

      const bill = JSON.parse(read(`release/${names[1]}`))
      expect(bill).toMatchObject({
        bomFormat: 'CycloneDX',
        metadata: { component: { name: 'nanomsg-native', version, purl: `pkg:npm/nanomsg-native@${version}` } },
      })
      const components = new Map<string, { version?: string; licenses?: object[]; hashes?: object[] }>()
      for (const component of bill.components) components.set(component.name, component)
      for (const name of Object.keys(manifest.dependencies)) expect(components.get(name)?.version).toMatch(/^\d/)
      for (const name of ['libc++', 'libc++abi', 'libunwind', 'compiler-rt'])
        expect(components.get(name)?.licenses).toEqual([{ expression: 'Apache-2.0 WITH LLVM-exception' }])
      const dependents = bill.dependencies.filter((each: { dependsOn: string[] }) =>
        each.dependsOn.some((ref) => ref.startsWith('mingw-w64@')),
      )
      expect(dependents.map(({ ref }: { ref: string }) => ref)).toEqual(['prebuilds/win32-x64/nanomsg-native.node'])
      for (const addon of addons) {
        const content = createHash('sha256').update(`of prebuilds/${addon}`).digest('hex')
        expect(components.get(`prebuilds/${addon}`)?.hashes).toEqual([{ alg: 'SHA-256', content }])
      }
      const refs = new Set([bill.metadata.component['bom-ref'], ...bill.components.map((c: never) => c['bom-ref'])])
      for (const { ref, dependsOn } of bill.dependencies) expect(refs).toEqual(new Set([...refs, ref, ...dependsOn]))
    })

    test('whose bill of materials is the same for the same commit', () => {
      fillFolder()
      const first = read(`release/${names[1]}`)
      fillFolder()
      expect(read(`release/${names[1]}`)).toBe(first)
    })

    test('unless a file is missing that the package loads, at once or on its first use', () => {
      const files = ['engine/shared', 'contexts/requests', 'contexts/shared', 'connections/host-tls', 'cli/main']
      for (const file of files) rmSync(join(root, `dist/${file}.js`))
      const said = fillFolder()
      for (const file of files) expect(said).toContain(`it has no dist/${file}.js`)
    })

    test('unless an addon is missing, or the tarball is too large', () => {
      write(`prebuilds/${addons[1]}`, randomBytes(6_100_000))
      expect(fillFolder()).toMatch(/not fit to be published: it has 6\.\d MB, more than 6\.0 MB/)
      rmSync(join(root, 'prebuilds', addons[1]!))
      expect(fillFolder()).toContain(`prebuilds/ has no ${addons[1]}: run npm run prebuild -- --all`)
    })
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
