// Programs that bundlers make: with the package left out, and with its addon beside them.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { addon, canInstall, good, Installation, project, run } from './installation.js'

const installed = join(project, 'test/bundlers/node_modules')

interface Bundler {
  readonly name: string
  /** Makes `out/program.cjs` and what lies beside it of `program`; what it complains of. */
  bundle(program: string, out: string): Promise<string> | string
}

/** Runs a program of JavaScript that calls a bundler, in the folder where the bundlers are installed. */
function runBundler(text: string): string {
  const options = { cwd: join(installed, '..'), encoding: 'utf8' } as const
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', text], options)
  return status === 0 ? stdout : `ends with ${status}: ${stdout}${stderr}`
}

const quoted = JSON.stringify

const runWebpack = (program: string, out: string, options: string) =>
  runBundler(`
    import webpack from 'webpack'
    webpack(
      {
        entry: ${quoted(program)},
        target: 'node',
        mode: 'production',
        output: { path: ${quoted(out)}, filename: 'program.cjs' },
        ${options},
      },
      (error, stats) => {
        if (error) throw error
        const { errors, warnings } = stats.toJson()
        for (const { message } of [...errors, ...warnings]) console.log(message)
      },
    )`)

async function runEsbuild(program: string, out: string, options: object): Promise<string> {
  const settings = { bundle: true, platform: 'node', outExtension: { '.js': '.cjs' }, logLevel: 'silent' } as const
  const { warnings } = await build({ entryPoints: [program], outdir: out, ...settings, ...options })
  return warnings.map(({ text }) => `${text}\n`).join('')
}

const thatLeaveItOut: Bundler[] = [
  {
    name: 'esbuild',
    bundle: (program, out) => runEsbuild(program, out, { external: ['nanomsg-native'] }),
  },
  {
    name: 'webpack',
    bundle: (program, out) => runWebpack(program, out, `externals: { 'nanomsg-native': 'commonjs nanomsg-native' }`),
  },
  {
    name: 'rollup',
    bundle: (program, out) =>
      runBundler(`
        import commonjs from '@rollup/plugin-commonjs'
        import resolve from '@rollup/plugin-node-resolve'
        import { rollup } from 'rollup'
        const bundle = await rollup({
          input: ${quoted(program)},
          external: [/^nanomsg-native/],
          plugins: [resolve({ preferBuiltins: true }), commonjs()],
          onwarn: ({ message }) => console.log(message),
        })
        await bundle.write({ file: ${quoted(join(out, 'program.cjs'))}, format: 'cjs' })`),
  },
]

const thatTakeItAlong: Bundler[] = [
  {
    name: 'esbuild',
    bundle: (program, out) => runEsbuild(program, out, { loader: { '.node': 'copy' } }),
  },
  {
    name: 'webpack',
    bundle: (program, out) => {
      // node-loader reads the file by its name in the bundle's folder.
      const rule = `{ test: /\\.node$/, loader: 'node-loader', options: { name: '[path][name].[ext]' } }`
      return runWebpack(
        program,
        out,
        `module: { rules: [${rule}] }, resolveLoader: { modules: [${quoted(installed)}] }`,
      )
    },
  },
  {
    name: 'ncc',
    bundle: (program, out) => {
      const said = runBundler(`
        import { createRequire } from 'node:module'
        import { mkdirSync, writeFileSync } from 'node:fs'
        import { dirname, join } from 'node:path'
        const ncc = createRequire(${quoted(`${installed}/`)})('@vercel/ncc')
        const { code, assets } = await ncc(${quoted(program)}, { quiet: true, cache: false })
        const files = { 'program.cjs': { source: code }, ...assets }
        for (const [name, { source }] of Object.entries(files)) {
          const path = join(${quoted(out)}, name)
          mkdirSync(dirname(path), { recursive: true })
          writeFileSync(path, source)
        }`)
      return said
    },
  },
]

describe.skipIf(!canInstall)('a bundled program', () => {
  let installation: Installation
  let out: string

  beforeAll(() => {
    installation = new Installation()
  })
  afterAll(() => installation.remove())
  beforeEach(() => {
    out = mkdtempSync(join(tmpdir(), 'nanomsg-bundle-'))
  })
  afterEach(() => rmSync(out, { recursive: true, force: true }))

  const addons = () => {
    const names = readdirSync(out, { recursive: true, encoding: 'utf8' })
    return names.filter((name) => name.endsWith('.node')).map((name) => join(out, name))
  }

  function testEach(bundlers: Bundler[], what: string, work: (bundler: Bundler) => Promise<void>) {
    for (const bundler of bundlers) {
      const isThere = bundler.name === 'esbuild' || existsSync(installed)
      if (!isThere && process.env.NN_REQUIRE_PEERS === '1')
        test(`of ${bundler.name} ${what}`, () => expect.fail('is not installed: run scripts/install-test-tools'))
      else test.skipIf(!isThere)(`of ${bundler.name} ${what}`, () => work(bundler))
    }
  }

  testEach(thatLeaveItOut, 'finds the package that was left out in node_modules', async ({ bundle }) => {
    expect(await bundle(installation.program, out)).toBe('')
    expect(addons()).toEqual([])
    mkdirSync(join(out, 'node_modules'))
    symlinkSync(installation.folder, join(out, 'node_modules/nanomsg-native'))
    expect(run(join(out, 'program.cjs'))).toEqual(good)
  })

  testEach(
    thatTakeItAlong,
    'works in a folder of its own, and says when its addons are missing',
    async ({ bundle }) => {
      expect(await bundle(installation.program, out)).toBe('')
      expect(addons()).not.toEqual([])
      // Nothing that lies where the package was installed is used.
      const moved = mkdtempSync(join(tmpdir(), 'nanomsg-moved-'))
      cpSync(out, moved, { recursive: true })
      try {
        writeFileSync(installation.prebuilt, 'damaged')
        expect(run(join(moved, 'program.cjs'))).toEqual(good)
      } finally {
        installation.fillPrebuilds()
        rmSync(moved, { recursive: true, force: true })
      }

      for (const path of addons()) rmSync(path)
      const { status, stderr } = run(join(out, 'program.cjs'))
      expect(status).toBe(1)
      expect(stderr).toContain('This program is a bundle that has come without the addon: copy it beside the bundle')
      expect(run(join(out, 'program.cjs'), { NANOMSG_NATIVE_PREBUILD: addon })).toEqual(good)
    },
  )
})
