import { type Option, options, requiredTraits } from './options.js'

const DESCRIPTION_COLUMN = 24
const DESCRIPTION_WIDTH = 56

const listed = options.filter((option) => !option.isOurs)

const metavarOf = (option: Option) => ('metavar' in option.argument ? option.argument.metavar : undefined)

const isRequired = (option: Option) => option.provides?.some((trait) => requiredTraits.includes(trait)) ?? false

function usageLine(programName: string): string {
  const required = listed.filter(isRequired).map((option) => `--${option.name}`)
  const withShort = listed.filter((option) => option.short !== undefined && !isRequired(option))
  const flags = withShort.filter((option) => metavarOf(option) === undefined).map((option) => option.short)
  const valued = withShort
    .filter((option) => metavarOf(option) !== undefined)
    .map((option) => `[-${option.short} ${metavarOf(option)}] `)
  return `    ${programName} {${required.join('|')}} [-${flags.join('')}] ${valued.join('')}[options] \n`
}

/** Breaks a description at white space: a line shorter than the width is not broken, a broken one may be as long. */
function wrap(description: string): string[] {
  const lines = []
  let rest = description
  while (rest.length >= DESCRIPTION_WIDTH) {
    const space = rest.slice(0, DESCRIPTION_WIDTH + 1).lastIndexOf(' ')
    if (space < 2) break
    lines.push(rest.slice(0, space))
    rest = rest.slice(space + 1)
  }
  return [...lines, rest]
}

export function describe(option: Option): string {
  const short = option.short === undefined ? '' : `,-${option.short}`
  const metavar = metavarOf(option) === undefined ? '' : ` ${metavarOf(option)}`
  const head = ` --${option.name}${short}${metavar}`
  const indentation = `\n${' '.repeat(DESCRIPTION_COLUMN)}`
  const lines = wrap(option.help).join(indentation)
  return head.length < DESCRIPTION_COLUMN - 1 ? head.padEnd(DESCRIPTION_COLUMN) + lines : head + indentation + lines
}

export function helpText(programName: string): string {
  let text = `Usage:\n${usageLine(programName)}\nA command-line interface to nanomsg\n`
  let group = ''
  for (const option of listed) {
    if (option.group !== group) text += `\n${option.group}:\n`
    group = option.group
    text += `${describe(option)}\n`
  }
  return text
}
