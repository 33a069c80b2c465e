import { type ParseArgsConfig, parseArgs } from 'node:util'
import { Exit } from '../exit.js'

/** A command as it is described to users. */
export interface Usage {
  readonly name: string
  readonly text: string
}

/** Parses the arguments of a command. What is wrong ends the program with status 1, and --help with the usage. */
export function parseCommand<Config extends ParseArgsConfig>(
  usage: Usage,
  config: Config,
): ReturnType<typeof parseArgs<Config & { strict: true; allowPositionals: true }>> {
  try {
    const parsed = parseArgs({ ...config, strict: true as const, allowPositionals: true as const })
    if ('help' in parsed.values && parsed.values.help === true) throw new Exit(0, usage.text, 'stdout')
    return parsed
  } catch (error) {
    // Further lines explain to programmers.
    if (error instanceof TypeError) throw refusal(usage, error.message.split('\n')[0]!)
    throw error
  }
}

/** Ends the program: the command line of a command is wrong. */
export const refusal = ({ name, text }: Usage, complaint: string) =>
  new Exit(1, `nanocat ${name}: ${complaint}\n${text}`)
