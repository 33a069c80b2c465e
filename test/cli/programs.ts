import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { accessSync, closeSync, constants, existsSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { describe, test } from 'vitest'

export interface Result {
  exitCode: number | null
  signal: NodeJS.Signals | null
  stdout: Buffer
  stderr: string
}

/** A running program; it ends with the scope that started it. */
export class Program {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #stdout: Buffer[] = []
  readonly #stderr: Buffer[] = []
  readonly #watchers = new Set<() => void>()
  readonly ended: Promise<Result>

  /** @param name how the program finds itself called; undefined for a script, which is told by its path */
  constructor(command: readonly string[], args: readonly string[], name?: string) {
    const [executable = '', ...first] = command
    this.#child = spawn(executable, [...first, ...args], { argv0: name })
    this.#child.stdin.on('error', () => {})
    this.#collect('stdout', this.#stdout)
    this.#collect('stderr', this.#stderr)
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject)
      this.#child.on('close', (exitCode, signal) =>
        resolve({ exitCode, signal, stdout: this.stdout, stderr: this.stderr }),
      )
    })
  }

  get stdout(): Buffer {
    return Buffer.concat(this.#stdout)
  }

  get stderr(): string {
    return Buffer.concat(this.#stderr).toString()
  }

  #collect(name: 'stdout' | 'stderr', chunks: Buffer[]) {
    this.#child[name].on('data', (chunk) => {
      chunks.push(chunk)
      for (const watcher of this.#watchers) watcher()
    })
  }

  /** Settles when what the program has printed satisfies the condition; rejects when it ends without. */
  async until<Found>(find: (program: Program) => Found | undefined | false | null): Promise<Found> {
    return await new Promise<Found>((resolve, reject) => {
      const watcher = () => {
        const found = find(this)
        if (found === undefined || found === false || found === null) return
        this.#watchers.delete(watcher)
        resolve(found)
      }
      this.#watchers.add(watcher)
      watcher()
      this.ended.then(({ exitCode, stderr }) => {
        watcher()
        reject(new Error(`the program has ended with ${exitCode}: ${stderr}`))
      }, reject)
    })
  }

  /** The address that our nanocat tells with --verbose. */
  async listening(): Promise<string> {
    return await this.until(({ stderr }) => /^listening on (.*)\n/m.exec(stderr)?.[1])
  }

  input(content: Uint8Array | string): this {
    this.#child.stdin.end(content)
    return this
  }

  /** Its output is not read any more. */
  closeStdout(): void {
    this.#child.stdout.destroy()
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended.catch(() => {})
  }
}

const built = join(__dirname, '..', '..', 'dist', 'cli')

/** The names of nanocat that choose its socket type. */
export const links = ['push', 'pull', 'pub', 'sub', 'req', 'rep', 'surveyor', 'respondent', 'bus', 'pair'].map(
  (type) => `nn_${type}`,
)

/** The file of ours that is installed by this name. */
export function fileOf(name = 'nanocat'): string {
  const file = name === 'nanocat' ? join(built, 'main.js') : join(built, 'links', `${name}.js`)
  if (!existsSync(file)) throw new Error(`${file} is missing: npm run build:ts makes it`)
  return file
}

/** Starts our nanocat by one of its names, as built. */
export const oursAs = (name: string, ...args: string[]) => new Program([process.execPath, fileOf(name)], args)

/** Starts our nanocat. */
export const ours = (...args: string[]) => oursAs('nanocat', ...args)

function isBinary(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    const magic = Buffer.alloc(4)
    const file = openSync(path, 'r')
    readSync(file, magic)
    closeSync(file)
    return magic.toString('latin1') === '\x7fELF'
  } catch {
    return false
  }
}

function onPath(name: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.map((folder) => join(folder, name)).find(isBinary)
}

/** The original: a nanocat on the path that is no script, as ours is. */
export const original = onPath('nanocat')

const nngcat = onPath('nngcat')

/** Starts the nanocat of libnanomsg by one of its names. */
export const theirsAs = (name: string, ...args: string[]) => new Program([original!], args, name)

/** Starts the nanocat of libnanomsg. */
export const theirs = (...args: string[]) => theirsAs('nanocat', ...args)

/** Starts the nngcat of NNG. */
export function theirsOfNng(...args: string[]): Program {
  return new Program([nngcat!], args)
}

function describeWith(program: string, path: string | undefined, name: string, define: () => void): void {
  if (path !== undefined) {
    describe(name, define)
  } else if (process.env.NN_REQUIRE_PEERS === '1') {
    test(name, () => {
      throw new Error(`${program} is required here: scripts/install-test-tools installs it`)
    })
  } else {
    console.log(`skipped: ${name}; scripts/install-test-tools installs ${program}`)
    describe.skip(name, define)
  }
}

/** Tests that need the original; without it they are skipped, and said to be, or fail when peers are required. */
export function describeWithOriginal(name: string, define: () => void): void {
  describeWith('the nanocat of libnanomsg', original, name, define)
}

/** The same for NNG's. */
export function describeWithNng(name: string, define: () => void): void {
  describeWith('the nngcat of NNG', nngcat, name, define)
}

/** A folder for sockets and files, away with its scope. */
export function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), 'nanocat-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** A port without a listener, for the original, which cannot choose one itself. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('a tcp server has a port')
  return address.port
}
