// Installing the package as users do: each package manager, from a registry, where there is no compiler.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pathOfNode } from '../support/nodes.js'
import { type Registry, startRegistry } from './registry.js'
import { type Finished, runProgram } from './run.js'

const project = resolve(__dirname, '../..')
const manifest = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))
const addon = join(project, 'build/Release/nanomsg_native.node')
const installed = join(project, 'test/clients/node_modules')

interface Client {
  readonly name: string
  /** The version of Node.js that it needs; that which runs the tests does for the others. */
  readonly node?: '26'
  /** Below `installed`; run by Node.js when it ends in .js. */
  readonly program: string
  readonly add: string[]
  /** Files that tell it where the registry is. */
  configure(registry: string): Record<string, string>
  /** What runs a program of JavaScript in the project, and nanocat. */
  readonly run: string[]
  readonly nanocat: string[]
}

const npmrc = (registry: string) => ({
  '.npmrc': `registry=${registry}\nupdate-notifier=false\nfund=false\naudit=false\n`,
})
const bin = 'node_modules/.bin/nanocat'

const clients: Client[] = [
  {
    name: 'npm 11',
    program: 'npm11/bin/npm-cli.js',
    add: ['install'],
    configure: npmrc,
    run: ['node'],
    nanocat: [bin],
  },
  {
    name: 'npm 12',
    node: '26',
    program: 'npm12/bin/npm-cli.js',
    add: ['install'],
    configure: npmrc,
    run: ['node'],
    nanocat: [bin],
  },
  {
    name: 'pnpm 12',
    program: 'pnpm12/pnpm',
    add: ['add'],
    configure: npmrc,
    run: ['node'],
    nanocat: [bin],
  },
  {
    name: 'Yarn 1',
    program: 'yarn1/bin/yarn.js',
    add: ['add', '--non-interactive'],
    configure: (registry) => ({ '.yarnrc': `registry "${registry}"\ndisable-self-update-check true\n` }),
    run: ['node'],
    nanocat: [bin],
  },
  {
    name: 'Yarn 4 with Plug’n’Play',
    program: 'yarn4/bin/yarn.js',
    add: ['add'],
    // YN0092 is what Yarn says of its own loader of ES modules.
    configure: (registry) => ({
      '.yarnrc.yml': `npmRegistryServer: ${registry}\nunsafeHttpWhitelist: ['127.0.0.1']\nenableTelemetry: false\nenableGlobalCache: false\nnodeLinker: pnp\npnpEnableEsmLoader: true\nlogFilters: [{ code: YN0092, level: discard }]\n`,
    }),
    run: ['CLIENT', 'node'],
    nanocat: ['CLIENT', 'nanocat'],
  },
  { name: 'Bun', program: 'bun/bin/bun', add: ['add'], configure: npmrc, run: ['node'], nanocat: [bin] },
]

const conversation = `
  const pull = new Pull(), push = new Push()
  push.connect(pull.bind('tcp://127.0.0.1:0').address)
  await push.send('installed')
  console.log(String(await pull.receive()))
  await Promise.all([push.close(), pull.close()])`

/** The programs that an installation finds. No compiler, no Python, no make. */
const programs = [
  'sh',
  'env',
  'sed',
  'dirname',
  'uname',
  'cat',
  'ls',
  'rm',
  'mkdir',
  'readlink',
  'basename',
  'realpath',
]

describe.skipIf(!existsSync(addon))('the package is installed without a word, and works', () => {
  let home: string
  let registry: Registry

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'nanomsg-clients-'))
    registry = await startRegistry([
      packWithAddon(home),
      ...Object.keys(manifest.dependencies).map((name) => pack(join(project, 'node_modules', name), home)),
    ])
  })
  afterAll(async () => {
    await registry?.close()
    rmSync(home, { recursive: true, force: true })
  })

  for (const client of clients) {
    const program = join(installed, client.program)
    const node = client.node === undefined ? process.execPath : pathOfNode(client.node)
    const isThere = existsSync(program) && node !== undefined
    if (!isThere && process.env.NN_REQUIRE_PEERS === '1')
      test(`by ${client.name}`, () => expect.fail('is not installed: run scripts/install-test-tools'))
    test.skipIf(!isThere)(
      `by ${client.name}`,
      async () => {
        const folder = mkdtempSync(join(home, 'project-'))
        const binaries = join(folder, '.programs')
        mkdirSync(binaries)
        symlinkSync(node!, join(binaries, 'node'))
        for (const name of programs)
          symlinkSync(
            execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim(),
            join(binaries, name),
          )
        const files = {
          'package.json': JSON.stringify({ name: 'user', version: '1.0.0', private: true, license: 'MIT' }),
          ...client.configure(registry.address),
          'program.cjs': `const { Pull, Push } = require('nanomsg-native');\n(async () => {${conversation}\n})()`,
          'program.mjs': `import { Pull, Push } from 'nanomsg-native'${conversation}`,
        }
        for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)

        const command = program.endsWith('.js') ? [node!, program] : [program]
        const run = (words: string[]): Promise<Finished> => {
          const [file, ...args] = words.flatMap((word) => (word === 'CLIENT' ? command : [word]))
          return runProgram(file!, args, {
            cwd: folder,
            env: { PATH: binaries, HOME: join(folder, '.home'), TMPDIR: folder },
          })
        }

        const adding = await run(['CLIENT', ...client.add, manifest.name])
        expect(adding, adding.output).toMatchObject({ exitCode: 0 })
        expect(adding.output).not.toMatch(/warn|error|block|ignored|script|YN0004/i)
        for (const name of ['program.cjs', 'program.mjs'])
          expect(await run([...client.run, name])).toEqual({ exitCode: 0, output: 'installed\n' })
        const shown = await run([...client.nanocat, '--version'])
        expect(shown).toMatchObject({ exitCode: 0, output: expect.stringContaining(manifest.version) })
      },
      300_000,
    )
  }
})

function pack(folder: string, destination: string): string {
  const output = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', destination], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return join(destination, JSON.parse(output)[0].filename)
}

/** The package with the addon of this tree as a prebuilt one, whatever lies in prebuilds/. */
function packWithAddon(home: string): string {
  const folder = join(home, 'package')
  execFileSync('tar', ['-xzf', pack(project, home), '-C', home])
  rmSync(join(folder, 'prebuilds'), { recursive: true, force: true })
  const prebuilds = join(folder, 'prebuilds', `${process.platform}-${process.arch}`)
  mkdirSync(prebuilds, { recursive: true })
  cpSync(addon, join(prebuilds, 'nanomsg-native.glibc.node'))
  return pack(folder, mkdtempSync(join(home, 'packed-')))
}
