import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const built = join(__dirname, '..', '..', 'dist', 'index.js')

/** It ends with us, even if we are killed: then its input ends. */
const ends = `process.stdin.on('close', () => process.exit()).resume()`

/** A process of its own, whose text may use all of the built package's classes, and which speaks in lines. */
export class Program implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #exited: Promise<unknown>

  /** @param options.descriptors how many the process may have open */
  constructor(text: string, { descriptors }: { descriptors?: number } = {}) {
    const program = [
      process.execPath,
      '-e',
      `const { Pub, Pull, Push, Rep, Req, Sub } = require(${JSON.stringify(built)}); ${ends}; ${text}`,
    ]
    // Both limits, as Node raises the soft one to the hard one.
    const limited = descriptors === undefined ? [] : ['sh', '-c', `ulimit -n ${descriptors} && exec "$0" "$@"`]
    const [command, ...args] = [...limited, ...program]
    this.#child = spawn(command!, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]()
    this.#exited = once(this.#child, 'exit')
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** The next line that it writes. */
  async line(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error('the program has ended')
    return value
  }

  /** Writes a line to its input. */
  say(line: string): void {
    this.#child.stdin!.write(`${line}\n`)
  }

  /** Stops it where it is, or lets it go on. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(name)
  }

  /** Kills it, and returns when the system has closed its descriptors. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill()
  }
}
