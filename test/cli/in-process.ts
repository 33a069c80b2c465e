import { PassThrough, Writable } from 'node:stream'
import type { Environment } from '../../lib/cli/environment.js'
import { run } from '../../lib/cli/run.js'
import type { SocketModule } from '../../lib/cli/sockets.js'
import type { MaybeTerminal } from '../../lib/cli/terminal.js'

export interface InProcessOptions {
  programName?: string
  stdin?: Uint8Array | string | PassThrough
  stdout?: MaybeTerminal
  stderr?: MaybeTerminal | undefined
  sockets?: SocketModule
  /** Receives the function that a signal would call. */
  onInterruption?: Environment['onInterruption']
}

function collector() {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  return { stream, bytes: () => Buffer.concat(chunks) }
}

/** Runs nanocat inside this process, with an outer world of our own. */
export async function nanocatWith(options: InProcessOptions, ...args: string[]) {
  const stdout = collector()
  const stderr = collector()
  const environment: Environment = {
    programName: options.programName ?? 'nanocat',
    stdin: options.stdin instanceof PassThrough ? options.stdin : new PassThrough().end(options.stdin ?? ''),
    stdout: options.stdout ?? stdout.stream,
    stderr: options.stderr ?? stderr.stream,
    version: () => '1.2.3',
    loadSockets: async () => options.sockets ?? {},
    onInterruption: options.onInterruption ?? (() => {}),
  }
  const exitCode = await run(args, environment)
  return { exitCode, stdout: stdout.bytes(), stderr: stderr.bytes().toString() }
}

/** As nanocatWith, with stdout as text. */
export async function nanocat(...args: string[]) {
  const result = await nanocatWith({}, ...args)
  return { ...result, stdout: result.stdout.toString() }
}
