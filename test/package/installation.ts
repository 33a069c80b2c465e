// The package as it lies in node_modules, with the addon of this tree in the place of this machine's prebuilt one.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

export const project = resolve(__dirname, '../..')
export const addon = join(project, 'build/Release/nanomsg_native.node')
const loader = readFileSync(join(project, 'lib/engine/prebuilt.ts'), 'utf8')

/** The prebuilt addons that the loader knows. */
export const known = [...loader.matchAll(/require\('\.\.\/\.\.\/prebuilds\/(.*?)'\)/g)].map(([, file]) => file!)
const here = `linux-${process.arch}/nanomsg-native.glibc.node`

export const canInstall = existsSync(addon) && known.includes(here)

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

/** What running the program gives when the addon is loaded. */
export const good = { status: 0, stdout: 'loaded', stderr: '' }

/** Runs a program of JavaScript. */
export function run(path: string, env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 30_000,
  })
  return { status, stdout: stdout.trim(), stderr }
}

export class Installation {
  readonly home = mkdtempSync(join(tmpdir(), 'nanomsg-installed-'))
  readonly folder = join(this.home, 'node_modules/nanomsg-native')
  /** This machine's prebuilt addon. */
  readonly prebuilt = join(this.folder, 'prebuilds', here)
  /** Sends a message to itself. */
  readonly program = join(this.home, 'program.cjs')

  constructor() {
    mkdirSync(this.folder, { recursive: true })
    for (const path of ['package.json', 'dist', 'native/sources.txt', 'native/sources.linux.txt'])
      cpSync(join(project, path), join(this.folder, path), { recursive: true })
    for (const name of ['node-gyp-build', '@msgpack'])
      symlinkSync(join(project, 'node_modules', name), join(this.home, 'node_modules', name))
    writeFileSync(this.program, conversation)
    this.fillPrebuilds()
  }

  /** This machine's addon, and files that are none for all other platforms. */
  fillPrebuilds(): void {
    for (const file of known) {
      mkdirSync(dirname(join(this.folder, 'prebuilds', file)), { recursive: true })
      writeFileSync(join(this.folder, 'prebuilds', file), 'for another platform')
    }
    cpSync(addon, this.prebuilt)
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true })
  }
}
