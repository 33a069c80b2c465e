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

  constructor(command: readonly string[], args: readonly string[]) {
    const [executable = '', ...first] = command
    this.#child = spawn(executable, [...first, ...args], {
      argv0: executable === process.execPath ? undefined : 'nanocat',
    })
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

  /** Nobody reads its output any more. */
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

const main = join(__dirname, '..', '..', 'dist', 'cli', 'main.js')

/** Starts our nanocat, as built. */
export function ours(...args: string[]): Program {
  if (!existsSync(main)) throw new Error(`${main} is missing: npm run build:ts makes it`)
  return new Program([process.execPath, main], args)
}

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
const original = onPath('nanocat')

const nngcat = onPath('nngcat')

/** Starts the nanocat of libnanomsg. */
export function theirs(...args: string[]): Program {
  return new Program([original!], args)
}

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

/** A port that nobody listens on, for the original, which cannot choose one itself. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('a tcp server has a port')
  return address.port
}
