// Which addon is loaded.
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { addon, canInstall, good, Installation, known, project, run } from './installation.js'

test('the loader knows each addon that is prebuilt, and no other', async () => {
  const { targets } = await import('../../scripts/prebuild/targets.mjs' as string)
  expect([...known].sort()).toEqual(targets.map(({ file }: { file: string }) => file).sort())
})

describe.skipIf(!canInstall)('an installed package', () => {
  let installation: Installation

  beforeAll(() => {
    installation = new Installation()
  })
  afterAll(() => installation.remove())
  beforeEach(() => installation.fillPrebuilds())

  test('loads the addon of its platform', () => {
    expect(run(installation.program)).toEqual(good)
  })

  test('does so without modules of Node.js that only other addons need', () => {
    const program = join(installation.home, 'modules.cjs')
    writeFileSync(program, `require('nanomsg-native'); console.log(process.moduleLoadList.join('\\n'))`)
    const modules = run(program).stdout.split('\n')
    expect(modules).toContain('Internal Binding os')
    expect(modules).not.toContain('NativeModule module')
  })

  test('does so without node-gyp-build', () => {
    const link = join(installation.home, 'node_modules/node-gyp-build')
    rmSync(link)
    try {
      expect(run(installation.program)).toEqual(good)
    } finally {
      symlinkSync(join(project, 'node_modules/node-gyp-build'), link)
    }
  })

  test('loads what the environment names, a file or a folder', () => {
    rmSync(installation.prebuilt)
    expect(run(installation.program, { NANOMSG_NATIVE_PREBUILD: addon })).toEqual(good)
    expect(run(installation.program, { NANOMSG_NATIVE_PREBUILD: project })).toEqual(good)
    const missing = run(installation.program, { NANOMSG_NATIVE_PREBUILD: '/nowhere/addon.node' })
    expect(missing.status).toBe(1)
    expect(missing.stderr).toContain('Tried: /nowhere/addon.node, which NANOMSG_NATIVE_PREBUILD names.')
  })

  test('has node-gyp-build look for an addon of another name', () => {
    rmSync(installation.prebuilt)
    cpSync(addon, join(dirname(installation.prebuilt), 'node.napi.node'))
    try {
      expect(run(installation.program)).toEqual(good)
    } finally {
      rmSync(join(dirname(installation.prebuilt), 'node.napi.node'))
    }
  })

  test('says why the addon of its platform cannot be loaded', () => {
    writeFileSync(installation.prebuilt, 'damaged')
    const { status, stderr } = run(installation.program)
    expect(status).toBe(1)
    expect(stderr).toMatch(/The reason: .*nanomsg-native\.glibc\.node: .*(too short|invalid ELF header)/)
  })

  test('takes the addon for musl where the program of Node.js is one for musl', () => {
    const node = join(installation.home, 'node-of-musl')
    writeFileSync(node, `\x7fELF${'\0'.repeat(700)}/lib/ld-musl-x86_64.so.1\0`)
    writeFileSync(
      join(installation.home, 'musl.cjs'),
      `process.execPath = ${JSON.stringify(node)}; try { require('nanomsg-native') } catch (error) { console.log(error.message) }`,
    )
    expect(run(join(installation.home, 'musl.cjs')).stdout).toMatch(/The reason: .*nanomsg-native\.musl\.node/)
    expect(run(join(installation.home, 'musl.cjs'), { LIBC: 'glibc' }).stdout).toBe('')
  })

  test('takes no addon of a build folder that is of something else', () => {
    const other = join(installation.folder, 'build/Release')
    mkdirSync(other, { recursive: true })
    writeFileSync(join(other, 'another.node'), 'something else')
    expect(run(installation.program)).toEqual(good)
    rmSync(join(installation.folder, 'build'), { recursive: true })
  })
})
