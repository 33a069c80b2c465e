// Which addon is loaded, and that bundlers find it.
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

const project = resolve(__dirname, '../..')
const addon = join(project, 'build/Release/nanomsg_native.node')
const loader = readFileSync(join(project, 'lib/engine/prebuilt.ts'), 'utf8')
const loaded = [...loader.matchAll(/require\('\.\.\/\.\.\/prebuilds\/(.*?)'\)/g)].map(([, file]) => file!)
const here = `linux-${process.arch}/nanomsg-native.glibc.node`

const conversation = `
  const { Pair } = require('nanomsg-native')
  ;(async () => {
    const left = new Pair(), right = new Pair()
    left.bind('inproc://loading')
    right.connect('inproc://loading')
    await left.send('loaded')
    console.log(String(await right.receive()))
    await Promise.all([left.close(), right.close()])
  })()`

test('the loader knows each addon that is prebuilt, and no other', async () => {
  const { targets } = await import('../../scripts/prebuild/targets.mjs' as string)
  expect([...loaded].sort()).toEqual(targets.map(({ file }: { file: string }) => file).sort())
})

describe.skipIf(!existsSync(addon) || !loaded.includes(here))('an installed package', () => {
  let home: string
  const installed = () => join(home, 'node_modules/nanomsg-native')
  const prebuilt = () => join(installed(), 'prebuilds', here)

  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'nanomsg-loading-'))
    mkdirSync(installed(), { recursive: true })
    for (const path of ['package.json', 'dist', 'native/sources.txt'])
      cpSync(join(project, path), join(installed(), path), { recursive: true })
    for (const name of ['node-gyp-build', '@msgpack'])
      symlinkSync(join(project, 'node_modules', name), join(home, 'node_modules', name))
    writeFileSync(join(home, 'program.cjs'), conversation)
  })
  afterAll(() => rmSync(home, { recursive: true, force: true }))

  /** This machine's addon, and files that are none for all other platforms. */
  beforeEach(() => {
    for (const file of loaded) {
      mkdirSync(dirname(join(installed(), 'prebuilds', file)), { recursive: true })
      writeFileSync(join(installed(), 'prebuilds', file), 'for another platform')
    }
    cpSync(addon, prebuilt())
  })

  function run(path: string, env: NodeJS.ProcessEnv = {}) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [path], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
      timeout: 30_000,
    })
    return { status, stdout: stdout.trim(), stderr }
  }
  const program = () => join(home, 'program.cjs')
  const good = { status: 0, stdout: 'loaded', stderr: '' }

  test('loads the addon of its platform', () => {
    expect(run(program())).toEqual(good)
  })

  test('does so without node-gyp-build', () => {
    const link = join(home, 'node_modules/node-gyp-build')
    rmSync(link)
    try {
      expect(run(program())).toEqual(good)
    } finally {
      symlinkSync(join(project, 'node_modules/node-gyp-build'), link)
    }
  })

  test('loads what the environment names, a file or a folder', () => {
    rmSync(prebuilt())
    expect(run(program(), { NANOMSG_NATIVE_PREBUILD: addon })).toEqual(good)
    expect(run(program(), { NANOMSG_NATIVE_PREBUILD: project })).toEqual(good)
    const missing = run(program(), { NANOMSG_NATIVE_PREBUILD: '/nowhere/addon.node' })
    expect(missing.status).toBe(1)
    expect(missing.stderr).toContain('Tried: /nowhere/addon.node, which NANOMSG_NATIVE_PREBUILD names.')
  })

  test('has node-gyp-build look for an addon of another name', () => {
    rmSync(prebuilt())
    cpSync(addon, join(dirname(prebuilt()), 'node.napi.node'))
    try {
      expect(run(program())).toEqual(good)
    } finally {
      rmSync(join(dirname(prebuilt()), 'node.napi.node'))
    }
  })

  test('says why the addon of its platform cannot be loaded', () => {
    writeFileSync(prebuilt(), 'damaged')
    const { status, stderr } = run(program())
    expect(status).toBe(1)
    expect(stderr).toMatch(/The reason: .*nanomsg-native\.glibc\.node: .*(too short|invalid ELF header)/)
  })

  test('takes the addon for musl where the program of Node.js is one for musl', () => {
    const node = join(home, 'node-of-musl')
    writeFileSync(node, `\x7fELF${'\0'.repeat(700)}/lib/ld-musl-x86_64.so.1\0`)
    writeFileSync(
      join(home, 'musl.cjs'),
      `process.execPath = ${JSON.stringify(node)}; try { require('nanomsg-native') } catch (error) { console.log(error.message) }`,
    )
    expect(run(join(home, 'musl.cjs')).stdout).toMatch(/The reason: .*nanomsg-native\.musl\.node/)
    expect(run(join(home, 'musl.cjs'), { LIBC: 'glibc' }).stdout).toBe('')
  })

  test('takes no addon of a build folder that is of something else', () => {
    const other = join(installed(), 'build/Release')
    mkdirSync(other, { recursive: true })
    writeFileSync(join(other, 'another.node'), 'something else')
    expect(run(program())).toEqual(good)
    rmSync(join(installed(), 'build'), { recursive: true })
  })

  describe('that esbuild has bundled', () => {
    let out: string

    beforeEach(async () => {
      out = mkdtempSync(join(tmpdir(), 'nanomsg-bundle-'))
      const { warnings } = await build({
        entryPoints: [program()],
        bundle: true,
        platform: 'node',
        loader: { '.node': 'copy' },
        outdir: out,
        outExtension: { '.js': '.cjs' },
        logLevel: 'silent',
      })
      expect(warnings).toEqual([])
      return () => rmSync(out, { recursive: true, force: true })
    })

    test('works in a folder of its own, with the addons beside it', () => {
      const addons = readdirSync(out).filter((name) => name.endsWith('.node'))
      expect(addons.length).toBeGreaterThan(0)
      expect(run(join(out, 'program.cjs'))).toEqual(good)
    })

    test('says what to do when it has come without them', () => {
      for (const name of readdirSync(out)) if (name.endsWith('.node')) rmSync(join(out, name))
      const { status, stderr } = run(join(out, 'program.cjs'))
      expect(status).toBe(1)
      expect(stderr).toContain('This program is a bundle that has come without the addon: copy it beside the bundle')
      expect(run(join(out, 'program.cjs'), { NANOMSG_NATIVE_PREBUILD: addon })).toEqual(good)
    })
  })
})
