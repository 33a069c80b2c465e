import { Ending, type ExitCode, interruptions } from './endings.js'
import type { Environment } from './environment.js'
import { loadFormatter } from './formats.js'
import { readInput } from './input.js'
import { modeOf, pause } from './modes.js'
import type { Settings } from './options.js'
import { Output } from './output.js'
import { parseCommandLine } from './parser.js'
import { attach, type CatSocket, configure, createSocket } from './sockets.js'

/** How long the last message of a sender may take to leave. It is over at once when the kernel has it all. */
const SENDER_LINGER_MS = 60_000

/** Peers need a moment to shake hands, and these sockets send to those who are there and to nobody else. */
const GREETING_MS = 100

/** Does what a command line asks for; what it prints and reads goes through the environment. */
export async function run(args: readonly string[], environment: Environment): Promise<ExitCode> {
  // Nobody is left to be told that stderr is closed.
  environment.stderr.on('error', () => {})
  const stop = new AbortController()
  const output = new Output(environment.stdout, stop)
  try {
    const settings = await parseCommandLine(args, {
      programName: environment.programName,
      version: environment.version,
      readInput: (path) => readInput(path, environment.stdin),
    })
    await converse(settings, environment, output, stop)
    return 0
  } catch (error) {
    return await end(stop.signal.aborted ? stop.signal.reason : error, environment, output)
  }
}

async function converse(settings: Settings, environment: Environment, output: Output, stop: AbortController) {
  environment.onInterruption((signal) => stop.abort(new Ending(interruptions[signal])))
  const warn = (text: string) => void environment.stderr.write(text)
  const [socket, format] = await Promise.all([
    // The table of options lets no command line pass without a type.
    createSocket(settings.socketType!, environment.loadSockets),
    loadFormatter(settings.format),
  ])
  const close = closeOnce(socket)
  // Whoever waits for the socket is woken, and finds the reason in the signal.
  stop.signal.addEventListener('abort', () => void close())
  try {
    configure(socket, settings)
    attach(socket, settings, (news) => settings.verbosity > 0 && warn(`${news}\n`))
    await pause(settings.delay ?? defaultDelay(settings), stop.signal)
    await modeOf(settings)({
      socket,
      settings,
      signal: stop.signal,
      print: async (message) => format && (await output.write(format(message))),
      warn,
    })
  } finally {
    await Promise.race([close(lingerOf(settings)), interruptionOf(stop.signal)])
    await output.flush()
  }
  stop.signal.throwIfAborted()
}

/** Closes the socket at the first call; all calls settle when it is closed. */
function closeOnce(socket: CatSocket) {
  let closed: Promise<void> | undefined
  return (options?: { linger: number }) => {
    closed ??= socket.close(options)
    return closed
  }
}

/** Senders see their messages off; who has received everything has little to wait for, and keeps the socket's default. */
function lingerOf({ socketType, sendTimeout }: Settings): { linger: number } | undefined {
  const isSender = socketType === 'push' || socketType === 'pub'
  return isSender ? { linger: sendTimeout ?? SENDER_LINGER_MS } : undefined
}

/** Settles when a signal comes while we linger; never when it came before. */
function interruptionOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

function defaultDelay({ socketType, body, connects }: Settings): number {
  const sendsToThosePresent =
    socketType === 'pub' || socketType === 'surveyor' || (socketType === 'bus' && body !== undefined)
  return sendsToThosePresent && connects.length > 0 ? GREETING_MS : 0
}

async function end(reason: unknown, environment: Environment, output: Output): Promise<ExitCode> {
  if (!(reason instanceof Ending)) throw reason
  if (reason.stream === 'stdout') {
    await output.write(reason.words)
    await output.flush()
  } else if (reason.words !== '') {
    environment.stderr.write(reason.words)
  }
  return reason.exitCode
}
