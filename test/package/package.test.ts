// What is published: the files of the package, and that a program can use them from a place of its own.
import { execFileSync, spawnSync } from 'node:child_process'
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
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

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
    const sources = readFileSync(join(project, 'native/sources.txt'), 'utf8').trim().split(/\s+/)
    const glue = readdirSync(join(project, 'native/binding')).filter((name) => name.endsWith('.cc'))
    expect(glue).not.toEqual([])
    expect(packed).toEqual(
      expect.arrayContaining([
        'binding.gyp',
        'native/sources.txt',
        'native/include/nanomsg/nn.h',
        ...sources.map((name) => `native/${name}`),
        ...glue.map((name) => `native/binding/${name}`),
      ]),
    )
  })

  it('contain a licence, a readme and a changelog', () => {
    expect(packed).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'CHANGELOG.md', 'package.json']))
  })

  it('contain nothing that only developers need', () => {
    const known = /^(dist|types|man|prebuilds|native)\/|^(LICENSE|README\.md|CHANGELOG\.md|package\.json|binding\.gyp)$/
    expect(packed.filter((path) => !known.test(path))).toEqual([])
    expect(packed.filter((path) => /\.(o|a|so|gcda|profraw|tsbuildinfo)$/.test(path))).toEqual([])
  })
})

describe.skipIf(!existsSync(addon))('a program that has installed the package', () => {
  let home: string
  const installed = () => join(home, 'node_modules/nanomsg-native')

  /** Unpacks as npm does; the addon takes the place of a prebuilt one, and dependencies are linked. */
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'nanomsg-native-'))
    const { filename } = npmPack('--pack-destination', home)
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

  it('runs nanocat', () => {
    const main = join(installed(), manifest.bin.nanocat)
    expect(readFileSync(main, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/)
    expect(execFileSync(process.execPath, [main, '--help'], { cwd: home, encoding: 'utf8' })).toContain('--connect')
  })

  it.each([
    ['consumer.cts', 'node16'],
    ['consumer.mts', 'node16'],
    ['consumer.ts', 'preserve'],
  ])(
    'is typed in TypeScript (%s, module %s)',
    (file, module) => {
      writeFileSync(
        join(home, file),
        `import { NanomsgError, Pair } from 'nanomsg-native'
       import nano, { socket, type Socket } from 'nanomsg-native/compat'
       export const sub: Socket = nano.socket('sub', { chan: ['a'], encoding: 'utf8' }).setEncoding('utf8')
       export const id: number | null = socket('pub').bind('inproc://a')
       // @ts-expect-error: there is no such type
       nano.socket('publisher')
       import type { Domain, Options, Protocol, SocketType } from 'nanomsg-native/compat'
       const type: SocketType = 'push'
       const options: Options = { linger: 5, chan: undefined }
       class Named extends nano.Socket {
         isSet: boolean = this.linger(5) && this.ipv6(true) && this.wsopt(String(this.wsopt()))
       }
       const named = new Named(type, options)
       named.on('data', (message: Buffer) => nano._bindings.Errno() + message.length)
       export const kind: [number, Domain, Protocol, number | undefined] =
         [named.sndbuf(), named.af_domain, named.protocol, named.bound['inproc://a']]
       nano.Socket.prototype.transform = (message) => String(message)
       export const base: Socket = nano.device(named, new nano.Socket('pull', { raw: 1 })).sock1
       import { NN_DONTWAIT, NN_MSG, nn_recv, type nn_pollfd } from 'nanomsg-native/nn'
       export const now: Buffer = nn_recv(0, NN_MSG, NN_DONTWAIT)
       export const later: Promise<number> = nn_recv(0, Buffer.alloc(5), 5, 0)
       export const asked: nn_pollfd = { fd: 0, events: 1 }
       export const body: Promise<Buffer> = new Pair({ receiveTimeout: 5 }).receive({ timeout: 1 })
       export const code = (error: NanomsgError): string => error.code
       // @ts-expect-error: an address is a string
       new Pair().bind(5)\n`,
      )
      const tsc = join(project, 'node_modules/typescript/bin/tsc')
      const options = ['--noEmit', '--strict', '--module', module, '--target', 'es2022', '--types', 'node']
      const { status, stdout } = spawnSync(process.execPath, [tsc, ...options, file], { cwd: home, encoding: 'utf8' })
      expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
    },
    60_000,
  )
})
