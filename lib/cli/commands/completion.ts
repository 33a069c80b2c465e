import type { Context } from '../context.js'
import { type Option, options } from '../options.js'
import { usage } from './completion-usage.js'
import { commandNames } from './names.js'
import { refusal } from './usage.js'

const shells = ['bash', 'zsh', 'fish']
const benchmarks = ['thr', 'lat']
const devicePatterns = ['--reqrep', '--survey', '--pipeline', '--pubsub', '--pair', '--bus']
const deviceOptions = [...devicePatterns, '--bind', '--connect', '--verbose', '--stats', '--help']
const benchOptions = ['--size', '--count', '--alone', '--peer', '--json', '--help']
const links = options.flatMap(({ executable }) => (executable === undefined ? [] : [executable]))

const takesValue = ({ argument }: Option) => 'metavar' in argument
const takesPath = ({ argument }: Option) => 'metavar' in argument && /^(PATH|FILE)$/.test(argument.metavar)
const choicesOf = ({ argument }: Option) =>
  argument.kind === 'choice' ? [...argument.choices, ...argument.ourChoices] : []

/** An option as it is written, the short form first. */
const spellings = ({ name, short }: Option) => (short === undefined ? [`--${name}`] : [`-${short}`, `--${name}`])

const inWords = (words: readonly string[]) => words.join(' ')
const pattern = (chosen: readonly Option[]) => chosen.flatMap(spellings).join('|')

function bash(): string {
  const paths = options.filter(takesPath)
  const others = options.filter((option) => takesValue(option) && !takesPath(option) && choicesOf(option).length === 0)
  const choices = options.filter((option) => choicesOf(option).length > 0)
  return `# Completion of nanocat for bash: source <(nanocat completion bash)
_nanocat() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} words
  local command=\${COMP_WORDS[1]} commands="${inWords(commandNames)}"
  COMPREPLY=()
  # The names that stand for a socket type have no commands.
  [[ \${COMP_WORDS[0]##*/} == nn_* ]] && command="" commands=""
  # Bash breaks words at "=": --format=ra comes as three.
  [[ $word == "=" ]] && word=""
  [[ $previous == "=" ]] && previous=\${COMP_WORDS[COMP_CWORD-2]}
  case $command in
    help) [[ $COMP_CWORD -eq 2 ]] && COMPREPLY=($(compgen -W "${inWords(commandNames.slice(1))}" -- "$word")); return ;;
    completion) [[ $COMP_CWORD -eq 2 ]] && COMPREPLY=($(compgen -W "${inWords(shells)}" -- "$word")); return ;;
    bench) words="${inWords([...benchmarks, ...benchOptions])}" ;;
    device) words="${inWords(deviceOptions)}" ;;
    *)
      case $previous in
        ${pattern(paths)}) COMPREPLY=($(compgen -f -- "$word")); return ;;
${choices.map((option) => `        ${pattern([option])}) COMPREPLY=($(compgen -W "${inWords(choicesOf(option))}" -- "$word")); return ;;`).join('\n')}
        ${pattern(others)}) return ;;
      esac
      words="${inWords(options.flatMap(spellings))}"
      [[ -n $commands && $COMP_CWORD -eq 1 && $word != -* ]] && words=$commands
      ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _nanocat nanocat ${inWords(links)}
`
}

const inQuotes = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

function zshOption(option: Option): string[] {
  const description = `[${option.help.replaceAll(/[[\]:\\]/g, '\\$&')}]`
  const { argument } = option
  const metavar = 'metavar' in argument ? argument.metavar : ''
  const action = takesPath(option) ? '_files' : choicesOf(option).length > 0 ? `(${inWords(choicesOf(option))})` : ''
  const value = takesValue(option) ? `:${metavar}:${action}` : ''
  return spellings(option).map((spelling) => {
    const attached = !takesValue(option) ? '' : spelling.startsWith('--') ? '=' : '+'
    return inQuotes(`*${spelling}${attached}${description}${value}`)
  })
}

function zsh(): string {
  const words = (list: readonly string[]) => `compadd -- ${inWords(list)}`
  return `#compdef nanocat ${inWords(links)}
# Completion of nanocat for zsh: source <(nanocat completion zsh)
_nanocat() {
  # The names that stand for a socket type have no commands.
  local command=$words[2]
  [[ \${words[1]:t} == nn_* ]] && command=-
  if (( CURRENT == 2 )) && [[ $command != -* ]]; then
    ${words(commandNames)}
    return
  fi
  case $command in
    help) (( CURRENT == 3 )) && ${words(commandNames.slice(1))} ;;
    completion) (( CURRENT == 3 )) && ${words(shells)} ;;
    bench) ${words([...benchmarks, ...benchOptions])} ;;
    device) ${words(deviceOptions)} ;;
    *) _arguments -s ${options.flatMap(zshOption).join(' \\\n      ')} ;;
  esac
}
compdef _nanocat nanocat ${inWords(links)}
`
}

function fishOption(program: string, option: Option): string {
  const short = option.short === undefined ? '' : ` -s ${option.short}`
  const value = takesPath(option)
    ? ' -rF'
    : choicesOf(option).length > 0
      ? ` -xa '${inWords(choicesOf(option))}'`
      : takesValue(option)
        ? ' -x'
        : ''
  const condition = program === 'nanocat' ? ` -n 'not __fish_seen_subcommand_from ${inWords(commandNames)}'` : ''
  return `complete -c ${program}${condition}${short} -l ${option.name}${value} -d ${inQuotes(option.help)}`
}

function fish(): string {
  const after = (command: string, words: readonly string[]) =>
    `complete -c nanocat -n '__fish_seen_subcommand_from ${command}' -a '${inWords(words)}'`
  return `${[
    '# Completion of nanocat for fish: nanocat completion fish | source',
    ...['nanocat', ...links].map((program) => `complete -c ${program} -f`),
    `complete -c nanocat -n __fish_use_subcommand -a '${inWords(commandNames)}'`,
    after('help', commandNames.slice(1)),
    after('completion', shells),
    after('bench', [...benchmarks, ...benchOptions]),
    after('device', deviceOptions),
    ...['nanocat', ...links].flatMap((program) => options.map((option) => fishOption(program, option))),
  ].join('\n')}\n`
}

const scripts: Readonly<Record<string, () => string>> = { bash, zsh, fish }

/** `nanocat completion bash`: the options come from the table that parses them. */
export async function completion(args: readonly string[], { output }: Context): Promise<void> {
  const [shell = '', ...rest] = args
  if (shell === '--help' || shell === '-h') return await output.write(usage.text)
  const script = scripts[shell]
  if (script === undefined || rest.length > 0) throw refusal(usage, `one of ${shells.join(', ')} is needed`)
  await output.write(script())
  await output.flush()
}
