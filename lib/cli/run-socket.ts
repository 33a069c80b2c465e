import { setTimeout } from 'node:timers/promises'
import { type Context, stopWhenInterrupted } from './context.js'
import type { Environment } from './environment.js'
import type { Report } from './events.js'
import { actsOnTerminal, loadFormatter, printsBytesAsTheyAre } from './formats.js'
import { loopOf, pause } from './loops.js'
import type { Settings } from './options.js'
import { attach, type CatSocket, configure, createSocket } from './sockets.js'
import { isTerminal, painter } from './terminal.js'

/** How long the last message of a sender may take to leave. Closing ends as soon as the kernel has everything. */
const SENDER_LINGER_MS = 60_000

/** How long messages may take to leave once a signal has come; the default of a socket is the same. */
const INTERRUPTED_LINGER_MS = 1000

/** Peers need a moment for the handshake, and these sockets send to connected peers only. */
const HANDSHAKE_MS = 100

/** Opens the socket that a command line describes, binds and connects it, and runs its loop. */
export async function runSocket(settings: Settings, context: Context): Promise<void> {
  const { environment, output, stop } = context
  stopWhenInterrupted(context)
  const [socket, format] = await Promise.all([
    // The table of options lets no command line pass without a type.
    createSocket(settings.socketType!, environment.loadSockets),
    loadFormatter(settings.format),
  ])
  const observer = await observe(socket, settings, context)
  const close = closeOnce(socket)
  // Calls that wait for the socket fail, and the signal says why.
  stop.signal.addEventListener('abort', () => {
    observer?.end()
    void close()
  })
  const warn = (text: string) => {
    observer?.makeRoom()
    environment.stderr.write(text)
  }
  const report = reporter(settings, warn, environment)
  const warnOfBytes = byteWarner(settings, warn, environment)
  if (report !== undefined) (await import('./events.js')).reportEvents(socket, settings.socketType!, report)
  try {
    configure(socket, settings)
    await attach(socket, settings, (text) => report?.(text, 'faint'))
    await pause(settings.delay ?? defaultDelay(settings), stop.signal)
    await loopOf(settings)({
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

/** Reports on stderr what happens, when asked to. */
function reporter({ verbosity }: Settings, warn: (text: string) => void, { stderr }: Environment): Report | undefined {
  if (verbosity <= 0) return undefined
  const paint = painter(stderr)
  return (text, style) => warn(`${paint(style, text)}\n`)
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
async function observe(socket: CatSocket, { stats }: Settings, { environment: { stderr } }: Context) {
  if (!stats || !isTerminal(stderr)) return undefined
  const { Observer } = await import('./observer.js')
  return new Observer(() => socket.stats(), { terminal: stderr, report: undefined })
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

/** How long closing waits: senders deliver their messages, receivers keep the socket's default. */
function lingerOf({ socketType, sendTimeout }: Settings): { linger: number } | undefined {
  const isSender = socketType === 'push' || socketType === 'pub'
  return isSender ? { linger: sendTimeout ?? SENDER_LINGER_MS } : undefined
}

function defaultDelay({ socketType, body, lines, connects }: Settings): number {
  const sendsToThosePresent =
    socketType === 'pub' || socketType === 'surveyor' || (socketType === 'bus' && (body !== undefined || lines))
  return sendsToThosePresent && connects.length > 0 ? HANDSHAKE_MS : 0
}
