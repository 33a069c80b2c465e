import { type CommandName, isCommandName } from './commands/names.js'
import type { Context } from './context.js'
import type { Environment } from './environment.js'
import { Exit, type ExitCode } from './exit.js'
import { readInput } from './input.js'
import { Output } from './output.js'
import { parseCommandLine } from './parser.js'
import { runSocket } from './run-socket.js'
import { isTerminal, painter } from './terminal.js'

/** Does what a command line asks for; what it prints and reads goes through the environment. */
export async function run(args: readonly string[], environment: Environment): Promise<ExitCode> {
  // That stderr is closed can be reported nowhere.
  environment.stderr.on('error', () => {})
  const stop = new AbortController()
  const output = new Output(environment.stdout, stop)
  const context = { environment, output, stop }
  try {
    const [command, ...rest] = args
    if (isCommandName(command) && !environment.programName.startsWith('nn_')) {
      await (await commands[command]())(rest, context)
    } else {
      await runSocket(await parse(args, environment), context)
    }
    return 0
  } catch (error) {
    return await end(stop.signal.aborted ? stop.signal.reason : error, context)
  }
}

type Command = (args: readonly string[], context: Context) => Promise<void>

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

async function end(reason: unknown, { environment, output, stop }: Context): Promise<ExitCode> {
  if (!(reason instanceof Exit)) throw reason
  if (reason.stream === 'stdout') {
    // A reader that has gone aborts it.
    await output.write(reason.text).catch(() => {})
    await output.flush()
    if (stop.signal.aborted) return await end(stop.signal.reason, { environment, output, stop })
    if (isTerminal(environment.stderr)) environment.stderr.write(reason.note)
  } else if (reason.text !== '') {
    const [first = '', ...rest] = reason.text.split('\n')
    environment.stderr.write([painter(environment.stderr)('bad', first), ...rest].join('\n'))
  }
  return reason.exitCode
}
