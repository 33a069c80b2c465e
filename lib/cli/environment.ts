import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Readable } from 'node:stream'
import { interruptions } from './exit.js'
import type { SocketModule } from './sockets.js'
import type { MaybeTerminal } from './terminal.js'

/** The world around the program, as far as it is touched. Tests supply their own. */
export interface Environment {
  readonly programName: string
  readonly stdin: Readable
  readonly stdout: MaybeTerminal
  readonly stderr: MaybeTerminal
  version(): string
  /** The package, which only commands that open sockets pay for loading. */
  loadSockets(): Promise<SocketModule>
  /** From now on a signal that would end the process calls back instead. It happens once; a second signal ends it. */
  onInterruption(interrupt: (signal: keyof typeof interruptions) => void): void
}

/** `nanocat`, or the name of the link the program was called by; Node.js does not give its path as it was typed. */
function nameOf(script: string): string {
  const name = basename(script).replace(/\.[cm]?js$/, '')
  return name === 'main' ? 'nanocat' : name
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8'))
  return version
}

export function processEnvironment(): Environment {
  return {
    programName: nameOf(process.argv[1] ?? ''),
    // Opened when it is asked for: a pipe or terminal that is not read is left alone.
    get stdin() {
      return process.stdin
    },
    stdout: process.stdout,
    stderr: process.stderr,
    version: packageVersion,
    // Not import(): that would start the loader of ES modules first.
    loadSockets: async () => require('../index.js') as SocketModule,
    onInterruption: (interrupt) => {
      const signals = Object.keys(interruptions) as (keyof typeof interruptions)[]
      const listener = (signal: NodeJS.Signals) => {
        for (const each of signals) process.off(each, listener)
        interrupt(signal as keyof typeof interruptions)
      }
      for (const each of signals) process.on(each, listener)
    },
  }
}
