import { setTimeout } from 'node:timers/promises'
import { type CommandName, isCommandName } from './commands/names.js'
import type { Environment } from './environment.js'
import type { TellNews } from './events.js'
import { Ending, type ExitCode, interruptions } from './exit.js'
import { actsOnTerminal, loadFormatter, printsBytesAsTheyAre } from './formats.js'
import { readInput } from './input.js'
import { modeOf, pause } from './loops.js'
import type { Settings } from './options.js'
import { Output } from './output.js'
import { parseCommandLine } from './parser.js'
import { attach, type CatSocket, configure, createSocket } from './sockets.js'
import { isTerminal, painter } from './terminal.js'

/** How long the last message of a sender may take to leave. It is over at once when the kernel has it all. */
const SENDER_LINGER_MS = 60_000

/** How long messages may take to leave once a signal has come; sockets that were not told otherwise linger as long. */
const INTERRUPTED_LINGER_MS = 1000

/** Peers need a moment to shake hands, and these sockets send to those who are there and to nobody else. */
const GREETING_MS = 100

/** What a run of the program works with, whatever it does. */
export interface Run {
  readonly environment: Environment
  readonly output: Output
  /** Aborted with an Ending when the program has to end. */
  readonly stop: AbortController
}

/** Does what a command line asks for; what it prints and reads goes through the environment. */
export async function run(args: readonly string[], environment: Environment): Promise<ExitCode> {
  // Nobody is left to be told that stderr is closed.
  environment.stderr.on('error', () => {})
  const stop = new AbortController()
  const output = new Output(environment.stdout, stop)
  const context = { environment, output, stop }
  try {
    const [command, ...rest] = args
    if (isCommandName(command) && !environment.programName.startsWith('nn_')) {
      await (await commands[command]())(rest, context)
    } else {
      await converse(await parse(args, environment), context)
    }
    return 0
  } catch (error) {
    return await end(stop.signal.aborted ? stop.signal.reason : error, context)
  }
}

type Command = (args: readonly string[], context: Run) => Promise<void>

/** Loaded when they are asked for. */
const commands: Readonly<Record<CommandName, () => Promise<Command>>> = {
  help: async () => (await import('./commands/help.js')).help,
  completion: async () => (await import('./commands/completion.js')).completion,
  bench: async () => (await import('./commands/bench.js')).bench,
  device: async () => (await import('./commands/device.js')).device,
}

const parse = (args: readonly string[], environment: Environment) =>
  parseCommandLine(args, {
    programName: environment.programName,
    version: environment.version,
    readInput: (path) => readInput(path, environment.stdin),
  })

/** From now on a signal ends what is going on, and then the program. */
export function stopWhenInterrupted({ environment, stop }: Run): void {
  environment.onInterruption((signal) => stop.abort(new Ending(interruptions[signal])))
}

async function converse(settings: Settings, context: Run) {
  const { environment, output, stop } = context
  stopWhenInterrupted(context)
  const [socket, format] = await Promise.all([
    // The table of options lets no command line pass without a type.
    createSocket(settings.socketType!, environment.loadSockets),
    loadFormatter(settings.format),
  ])
  const observer = await observe(socket, settings, context)
  const close = closeOnce(socket)
  // Whoever waits for the socket is woken, and finds the reason in the signal.
  stop.signal.addEventListener('abort', () => {
    observer?.end()
    void close()
  })
  const warn = (text: string) => {
    observer?.makeRoom()
    environment.stderr.write(text)
  }
  const tell = teller(settings, warn, environment)
  const warnOfBytes = byteWarner(settings, warn, environment)
  if (tell !== undefined) (await import('./events.js')).tellNews(socket, settings.socketType!, tell)
  try {
    configure(socket, settings)
    await attach(socket, settings, (news) => tell?.(news, 'faint'))
    await pause(settings.delay ?? defaultDelay(settings), stop.signal)
    await modeOf(settings)({
      socket,
      settings,
      lines: settings.lines ? (await import('./lines.js')).linesOf(environment.stdin, stop.signal) : undefined,
      signal: stop.signal,
      print: async (message) => {
        if (format === undefined) return
        if (isTerminal(environment.stdout)) observer?.makeRoom()
        const text = format(message)
        warnOfBytes?.(text)
        await output.write(text)
      },
      warn,
    })
  } finally {
    if (!stop.signal.aborted) observer?.end()
    if (settings.lines) environment.stdin.destroy()
    await untilClosed(close(lingerOf(settings)), stop.signal)
    await output.flush()
  }
  stop.signal.throwIfAborted()
}

/** Tells on stderr what happens, when asked to. */
function teller({ verbosity }: Settings, warn: (text: string) => void, { stderr }: Environment): TellNews | undefined {
  if (verbosity <= 0) return undefined
  const paint = painter(stderr)
  return (news, style) => warn(`${paint(style, news)}\n`)
}

/** Says once, before the first message that a terminal would act on, that it will. */
function byteWarner({ format }: Settings, warn: (text: string) => void, { stdout }: Environment) {
  if (!printsBytesAsTheyAre(format) || !isTerminal(stdout)) return undefined
  let hasWarned = false
  return (text: Uint8Array | string) => {
    if (hasWarned || typeof text === 'string' || !actsOnTerminal(text)) return
    hasWarned = true
    warn('Warning: a message has bytes that this terminal acts on. Use --quoted or --hex, or redirect the output.\n')
  }
}

/** Shows the rates, when asked to and there is a terminal. */
async function observe(socket: CatSocket, { stats }: Settings, { environment: { stderr } }: Run) {
  if (!stats || !isTerminal(stderr)) return undefined
  const { Observer } = await import('./observer.js')
  return new Observer(() => socket.stats(), { terminal: stderr, tell: undefined })
}

/** Closes the socket at the first call; all calls settle when it is closed. */
function closeOnce(socket: CatSocket) {
  let closed: Promise<void> | undefined
  return (options?: { linger: number }) => {
    closed ??= socket.close(options)
    return closed
  }
}

/** Settles when the socket is closed. A signal that comes while it lingers shortens that. */
async function untilClosed(closed: Promise<void>, signal: AbortSignal): Promise<void> {
  const settled = new AbortController()
  const interrupted = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => {
      setTimeout(INTERRUPTED_LINGER_MS, undefined, { signal: settled.signal }).then(resolve, () => {})
    })
  })
  await Promise.race([closed, interrupted])
  settled.abort()
}

/** Senders see their messages off; who has received everything has little to wait for, and keeps the socket's default. */
function lingerOf({ socketType, sendTimeout }: Settings): { linger: number } | undefined {
  const isSender = socketType === 'push' || socketType === 'pub'
  return isSender ? { linger: sendTimeout ?? SENDER_LINGER_MS } : undefined
}

function defaultDelay({ socketType, body, lines, connects }: Settings): number {
  const sendsToThosePresent =
    socketType === 'pub' || socketType === 'surveyor' || (socketType === 'bus' && (body !== undefined || lines))
  return sendsToThosePresent && connects.length > 0 ? GREETING_MS : 0
}

async function end(reason: unknown, { environment, output, stop }: Run): Promise<ExitCode> {
  if (!(reason instanceof Ending)) throw reason
  if (reason.stream === 'stdout') {
    // A reader that has gone aborts it.
    await output.write(reason.words).catch(() => {})
    await output.flush()
    if (stop.signal.aborted) return await end(stop.signal.reason, { environment, output, stop })
    if (isTerminal(environment.stderr)) environment.stderr.write(reason.aside)
  } else if (reason.words !== '') {
    const [first = '', ...rest] = reason.words.split('\n')
    environment.stderr.write([painter(environment.stderr)('bad', first), ...rest].join('\n'))
  }
  return reason.exitCode
}
