// What is published: the files of the package, and that a program can use them from a place of its own.
import { execFile, execFileSync, spawnSync } from 'node:child_process'
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
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

const project = resolve(__dirname, '../..')
const addon = join(project, 'build/Release/nanomsg_native.node')
const manifest = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))

/** What programs can require and import. */
const faces = Object.keys(manifest.exports).filter((face) => face !== './package.json')
const nameOf = (face: string) => face.replace('.', manifest.name)

/** npm without scripts: packing must not rebuild what other tests are using. */
function npmPack(...options: string[]): { filename: string; files: { path: string; mode: number }[] } {
  const output = execFileSync('npm', ['pack', '--json', '--ignore-scripts', ...options], {
    cwd: project,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return JSON.parse(output)[0]
}

describe('the packed files', () => {
  const packed = npmPack('--dry-run').files.map((file) => file.path)

  it('contain everything that package.json points to', () => {
    const named = [
      manifest.main,
      manifest.module,
      manifest.types,
      ...faces.flatMap((face) =>
        Object.values(manifest.exports[face]).flatMap((entry) => Object.values(entry as object)),
      ),
      ...Object.values<string>(manifest.bin),
      ...manifest.man,
    ]
    expect(packed).toEqual(expect.arrayContaining(named.map((path) => path.replace('./', ''))))
  })

  it('contain the sources that compile the addon where no prebuilt one fits', () => {
    const lists = ['', '.linux', '.darwin', '.windows', '.posix'].map((name) => `native/sources${name}.txt`)
    const sources = lists.flatMap((list) => readFileSync(join(project, list), 'utf8').trim().split(/\s+/))
    const glue = readdirSync(join(project, 'native/binding')).filter((name) => name.endsWith('.cc'))
    expect(glue).not.toEqual([])
    expect(packed).toEqual(
      expect.arrayContaining([
        'native/binding.gyp',
        'native/addon.gypi',
        ...lists,
        'native/include/nanomsg/nn.h',
        ...sources.map((name) => `native/${name}`),
        ...glue.map((name) => `native/binding/${name}`),
      ]),
    )
  })

  it('contain all that their pages link to', () => {
    const pages = packed.filter((path) => path.endsWith('.md'))
    expect(pages).toEqual(expect.arrayContaining(['README.md', 'docs/guide.md', 'docs/extending.md', 'docs/c.md']))
    const links = pages.flatMap((page) => {
      const targets = [...readFileSync(join(project, page), 'utf8').matchAll(/\]\(([^)#\s]+)/g)].map(
        ([, path]) => path!,
      )
      return targets.filter((path) => !/^[a-z]+:/.test(path)).map((path) => join(dirname(page), path))
    })
    expect(links).toContain('examples/protocol')
    expect(links.filter((link) => !packed.some((path) => path === link || path.startsWith(`${link}/`)))).toEqual([])
  })

  it('make no package manager run or compile anything', () => {
    expect(packed.filter((path) => /^[^/]*\.gyp$/.test(path))).toEqual([])
    expect(manifest.gypfile).toBe(false)
    expect(Object.keys(manifest.scripts)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(pre|post)?install$|^prepare$/)]),
    )
  })

  it('contain a licence, a readme and a changelog', () => {
    expect(packed).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'CHANGELOG.md', 'package.json']))
  })

  it('contain nothing that only developers need', () => {
    const known =
      /^(dist|types|man|docs|prebuilds|native|examples)\/|^(LICENSE|CMakeLists\.txt|package\.json|[A-Z_]+\.md)$/
    expect(packed.filter((path) => !known.test(path))).toEqual([])
    expect(packed.filter((path) => /\.(o|a|so|gcda|profraw|tsbuildinfo)$/.test(path))).toEqual([])
  })
})

describe.skipIf(!existsSync(addon))('a program that has installed the package', () => {
  let home: string
  let tarball: string
  const installed = () => join(home, 'node_modules/nanomsg-native')

  /** Unpacks as npm does; the addon takes the place of a prebuilt one, and dependencies are linked. */
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'nanomsg-native-'))
    const { filename } = npmPack('--pack-destination', home)
    tarball = filename
    mkdirSync(installed(), { recursive: true })
    execFileSync('tar', ['-xzf', join(home, filename), '-C', installed(), '--strip-components=1'])

    const prebuilds = join(installed(), 'prebuilds', `${process.platform}-${process.arch}`)
    rmSync(join(installed(), 'prebuilds'), { recursive: true, force: true })
    mkdirSync(prebuilds, { recursive: true })
    cpSync(addon, join(prebuilds, 'node.napi.node'))

    for (const name of [...Object.keys(manifest.dependencies), '@types/node']) {
      const link = join(home, 'node_modules', name)
      mkdirSync(resolve(link, '..'), { recursive: true })
      symlinkSync(join(project, 'node_modules', name), link)
    }
  }, 60_000)

  afterAll(() => rmSync(home, { recursive: true, force: true }))

  function run(file: string, text: string): string {
    writeFileSync(join(home, file), text)
    return execFileSync(process.execPath, [file], { cwd: home, encoding: 'utf8', timeout: 10_000 }).trim()
  }

  const conversation = `
    const left = new Pair()
    const right = new Pair()
    left.bind('inproc://package')
    right.connect('inproc://package')
    await left.send('from the package')
    console.log(String(await right.receive()))
    await Promise.all([left.close(), right.close()])`

  it('exchanges messages when it requires the package', () => {
    const text = `const { Pair } = require('nanomsg-native');\n(async () => {${conversation}\n})()`
    expect(run('program.cjs', text)).toBe('from the package')
  })

  it('exchanges messages when it imports the package', () => {
    expect(run('program.mjs', `import { Pair } from 'nanomsg-native'${conversation}`)).toBe('from the package')
  })

  it.each(faces)('sees the same whether it requires or imports (%s)', (face) => {
    const text = `
      import { createRequire } from 'node:module'
      import * as imported from '${nameOf(face)}'
      const required = createRequire(import.meta.url)('${nameOf(face)}')
      const names = Object.keys(required).filter((name) => name !== 'default')
      const different = names.filter((name) => imported[name] !== required[name])
      const count = Object.keys(imported).filter((name) => name !== 'default').length
      console.log(names.length > 5, different, count === names.length)`
    expect(run('both.mjs', text)).toBe('true [] true')
  })

  it('sends a message of the C API', () => {
    const text = `
      import * as nn from 'nanomsg-native/nn'
      const [left, right] = [nn.nn_socket(nn.AF_SP, nn.NN_PAIR), nn.nn_socket(nn.AF_SP, nn.NN_PAIR)]
      nn.nn_bind(left, 'inproc://package')
      nn.nn_connect(right, 'inproc://package')
      await nn.nn_send(left, 'from the package')
      console.log(String(await nn.nn_recv(right, nn.NN_MSG)))`
    expect(run('nn.mjs', text)).toBe('from the package')
  })

  it.each([
    ['compat.cjs', "const nano = require('nanomsg-native/compat')"],
    ['compat.mjs', "import nano from 'nanomsg-native/compat'"],
    ['named.mjs', "import * as nano from 'nanomsg-native/compat'"],
  ])('takes the place of the npm package nanomsg (%s)', (file, load) => {
    const text = `${load}
      const pub = nano.socket('pub'), sub = nano.socket('sub')
      pub.bind('inproc://package')
      sub.connect('inproc://package')
      sub.on('data', (message) => { console.log(String(message)); pub.close(); sub.close() })
      pub.send('from the package')`
    expect(run(file, text)).toBe('from the package')
  })

  it('has what CMake needs for the C libraries', () => {
    const options = ['-S', installed(), '-B', join(home, 'libraries')]
    const { status, stdout, stderr } = spawnSync('cmake', options, { encoding: 'utf8' })
    expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: '' })
    expect(readFileSync(join(home, 'libraries/CMakeCache.txt'), 'utf8')).toContain(
      `CMAKE_PROJECT_VERSION:STATIC=${manifest.version}`,
    )
  })

  it('runs nanocat', () => {
    const main = join(installed(), manifest.bin.nanocat)
    expect(readFileSync(main, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/)
    expect(execFileSync(process.execPath, [main, '--help'], { cwd: home, encoding: 'utf8' })).toContain('--connect')
  })

  describe('whose addon does not fit', () => {
    const file = () => join(installed(), 'prebuilds', `${process.platform}-${process.arch}`, 'node.napi.node')

    /** What requiring the package says. */
    function failure(): string {
      writeFileSync(
        join(home, 'fails.cjs'),
        "try { require('nanomsg-native') } catch (error) { console.log(error.code + ' ' + error.message) }",
      )
      return execFileSync(process.execPath, ['fails.cjs'], { cwd: home, encoding: 'utf8' })
    }

    afterEach(() => cpSync(addon, file()))

    it('is told what was looked for, and what to do', () => {
      rmSync(file())
      const message = failure()
      expect(message).toMatch(/^ERR_DLOPEN_FAILED nanomsg-native has no addon for Node\.js v\d/)
      expect(message).toContain(`${process.platform}-${process.arch}`)
      expect(message).toContain(join(installed(), 'prebuilds'))
      expect(message).toContain(`node ${join(installed(), 'dist/build/main.js')}`)
      expect(message).toContain('No native build was found')
    })

    it('compiles it with nanomsg-native-build', async () => {
      rmSync(file())
      const build = join(installed(), manifest.bin['nanomsg-native-build'])
      const { stdout } = await promisify(execFile)(process.execPath, [build], { cwd: home })
      expect(stdout).toContain(join(installed(), 'native/build/Release/nanomsg_native.node'))
      expect(run('compiled.mjs', `import { Pair } from 'nanomsg-native'${conversation}`)).toBe('from the package')
      rmSync(join(installed(), 'native/build'), { recursive: true })
    }, 300_000)

    it('is told why a file that is there cannot be loaded', () => {
      writeFileSync(file(), 'no addon at all')
      const message = failure()
      expect(message).toContain(`prebuilds (there: ${process.platform}-${process.arch})`)
      expect(message).toMatch(/The reason: .*node\.napi\.node/)
    })
  })

  it.each([
    ['requires', 'cts', ['--module', 'node16']],
    ['imports', 'mts', ['--module', 'node16']],
    ['is bundled', 'ts', ['--module', 'esnext', '--moduleResolution', 'bundler']],
  ])(
    'is typed in TypeScript when it %s',
    (_, extension, resolution) => {
      const types = join(__dirname, 'types')
      const files = readdirSync(types).map((name) => name.replace(/ts$/, extension))
      for (const name of readdirSync(types)) cpSync(join(types, name), join(home, name.replace(/ts$/, extension)))
      expect(files).toContain(`classes.${extension}`)
      const tsc = join(project, 'node_modules/typescript/bin/tsc')
      const options = ['--noEmit', '--strict', ...resolution, '--target', 'es2022', '--types', 'node']
      const lib = ['--lib', 'es2022,esnext.disposable']
      const { status, stdout } = spawnSync(process.execPath, [tsc, ...options, ...lib, ...files], {
        cwd: home,
        encoding: 'utf8',
      })
      expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
    },
    60_000,
  )

  it('has nothing that publint finds fault with', async () => {
    const { publint } = await import('publint')
    const { formatMessage } = await import('publint/utils')
    const { messages, pkg } = await publint({ pkgDir: installed(), pack: false, level: 'suggestion', strict: true })
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
  })

  it('is resolved to the right types, by whichever rules it is imported', () => {
    const attw = join(project, 'node_modules/@arethetypeswrong/cli/dist/index.js')
    const options = ['--no-definitely-typed', '--no-emoji', '--format', 'ascii']
    const { status, stdout } = spawnSync(process.execPath, [attw, ...options, join(home, tarball)], {
      encoding: 'utf8',
    })
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('No problems found') })
    for (const face of faces) expect(stdout).toContain(`"${nameOf(face)}"`)
  }, 60_000)
})
