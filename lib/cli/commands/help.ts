import type { Context } from '../context.js'
import { describe, helpText } from '../help.js'
import { options } from '../options.js'
import { usage as benchUsage } from './bench-usage.js'
import { usage as completionUsage } from './completion-usage.js'
import { usage as deviceUsage } from './device-usage.js'
import { refusal, type Usage } from './usage.js'

const usage: Usage = {
  name: 'help',
  text: 'Usage:\n    nanocat help [bench|completion|device]\n\nPrints all options and commands, or what one command does.\n',
}

const others = [benchUsage, completionUsage, deviceUsage]

/** The text of --help is the original's; here is the rest as well. */
function everything(programName: string): string {
  const ours = options.filter((option) => option.isOurs)
  const commands = others.map(({ text }) => text.replace(/^Usage:\n/, '').split('\n\n')[0])
  return [
    helpText(programName),
    'Beyond the original (these have no abbreviations):',
    ...ours.map(describe),
    ' --format json          Same as --json\n',
    'Commands:',
    ...commands,
    '',
  ].join('\n')
}

/** `nanocat help`, `nanocat help bench` */
export async function help(args: readonly string[], { environment, output }: Context): Promise<void> {
  const [topic, ...rest] = args
  const found = topic === '--help' || topic === '-h' ? usage : [...others, usage].find(({ name }) => name === topic)
  if (rest.length > 0 || (topic !== undefined && found === undefined))
    throw refusal(usage, `no help for ${args.join(' ')}`)
  await output.write(found === undefined ? everything(environment.programName) : found.text)
  await output.flush()
}
