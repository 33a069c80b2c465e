import { commandNames } from './commands/names.js'
import { Exit } from './exit.js'
import { helpText } from './help.js'
import { defaultSettings, type Option, options, requiredTraits, type Settings, type Trait } from './options.js'
import { parseFloatingPoint } from './seconds.js'

export interface ParserContext {
  readonly programName: string
  version(): string
  /** The content of a file, or of stdin when the path is `-`. Throws an Exit when it cannot be read. */
  readInput(path: string): Promise<Uint8Array>
}

const takesValue = (option: Option) => 'metavar' in option.argument

const nameMatches = (option: Option, name: string) =>
  option.isOurs ? option.name === name : option.name.startsWith(name)

/** An option as it was written, with what an abbreviation leaves out in brackets: `--pul[l]`. */
function describeLong(option: Option, written: string, name: string): string {
  return name === option.name ? written : `--${name}[${option.name.slice(name.length)}]`
}

class Parser {
  readonly #context: ParserContext
  readonly #arguments: Iterator<string, undefined>
  readonly #settings = defaultSettings()
  readonly #traits = new Set<Trait>()
  /** How the options that were given have been written last. */
  readonly #written = new Map<Option, string>()

  constructor(args: readonly string[], context: ParserContext) {
    this.#arguments = args.values()
    this.#context = context
  }

  async parse(): Promise<Settings> {
    await this.#applyProgramName()
    for (let text = this.#next(); text !== undefined; text = this.#next()) {
      if (text === '--') continue // it does not end the options
      if (text.startsWith('--')) await this.#parseLong(text)
      else if (text.startsWith('-')) await this.#parseShort(text.slice(1))
      else await this.#failAtWord(text)
    }
    this.#checkRequirements()
    return this.#settings
  }

  async #applyProgramName() {
    const option = options.find(({ executable }) => executable === this.#context.programName)
    if (!option) return
    this.#written.set(option, `${this.#context.programName} (executable)`)
    await this.#apply(option)
  }

  async #parseLong(text: string) {
    const [name = ''] = text.slice(2).split('=', 1)
    const option = await this.#findLong(name, text)
    const value = text.slice(2 + name.length + 1)
    const hasValue = text.length > 2 + name.length
    this.#written.set(option, describeLong(option, text, name))
    if (hasValue && !takesValue(option)) this.#failAt(option, 'does not accept argument')
    await this.#apply(option, hasValue || !takesValue(option) ? value : this.#nextValue(option))
  }

  async #findLong(name: string, text: string): Promise<Option> {
    const found = name === '' ? [] : options.filter((option) => nameMatches(option, name))
    const exact = found.find((option) => option.name === name)
    if (exact) return exact
    if (found.length > 1) this.#fail(`Ambiguous option \`\`${text}'':`, ...found.map((option) => `    ${option.name}`))
    const names = options.map((option) => option.name)
    return found[0] ?? (await this.#failWithAdvice(`Unknown option \`\`${text}''`, name, names, '--'))
  }

  /** Letters without a value may stand together; what follows a letter that takes one is its value. */
  async #parseShort(letters: string) {
    let rest = letters
    while (rest !== '') {
      const letter = String.fromCodePoint(rest.codePointAt(0)!)
      const option = options.find(({ short }) => short === letter) ?? this.#fail(`Unknown option \`\`-${letter}''`)
      rest = rest.slice(letter.length)
      this.#written.set(option, `-${letter} (--${option.name})`)
      if (takesValue(option)) return await this.#apply(option, rest === '' ? this.#nextValue(option) : rest)
      await this.#apply(option)
    }
  }

  #next(): string | undefined {
    return this.#arguments.next().value
  }

  #nextValue(option: Option): string {
    return this.#next() ?? this.#failAt(option, 'requires an argument')
  }

  async #apply(option: Option, value = '') {
    if (option.conflicts && this.#traits.has(option.conflicts)) this.#failByConflict(option, option.conflicts)
    for (const trait of option.provides ?? []) this.#traits.add(trait)

    const { argument } = option
    switch (argument.kind) {
      case 'none':
        return argument.apply(this.#settings)
      case 'text':
        return argument.apply(this.#settings, value)
      case 'number':
        return argument.apply(
          this.#settings,
          parseFloatingPoint(value) ?? this.#failAt(option, 'requires float point argument'),
        )
      case 'whole number':
        if (!/^[1-9]\d{0,14}$/.test(value)) this.#failAt(option, 'requires a whole number above 0')
        return argument.apply(this.#settings, Number(value))
      case 'choice':
        if (![...argument.choices, ...argument.ourChoices].includes(value)) {
          this.#failByChoice(option, value, [...argument.choices, ...argument.ourChoices])
        }
        return argument.apply(this.#settings, value)
      case 'file':
        return argument.apply(this.#settings, await this.#context.readInput(value))
      case 'question':
        if (argument.about === 'version') throw new Exit(0, this.#version(), 'stdout')
        throw new Exit(0, helpText(this.#context.programName), 'stdout', '\nThere is more: nanocat help\n')
    }
  }

  #version(): string {
    return `${this.#context.programName} ${this.#context.version()}\n`
  }

  #checkRequirements() {
    for (const option of options) {
      if (!option.requires || !this.#written.has(option) || this.#traits.has(option.requires)) continue
      this.#failAt(option, 'requires at least one of the following options:', ...namesProviding([option.requires]))
    }
    const missing = requiredTraits.filter((trait) => !this.#traits.has(trait))
    if (missing.length > 0) this.#fail('At least one of the following required:', ...namesProviding(missing))
  }

  /** Blames the options that were given, or the option itself when it was given twice. */
  #failByConflict(option: Option, trait: Trait): never {
    const others = [...options].filter(
      (other) => other !== option && this.#written.has(other) && other.provides?.includes(trait),
    )
    const blamed = others.length > 0 ? others : [option]
    const list = blamed.map((other) => `    ${this.#written.get(other)} `)
    this.#failAt(option, 'conflicts with the following options:', ...list)
  }

  #failByChoice(option: Option, value: string, choices: readonly string[]): never {
    const list = choices.map((choice) => `    ${choice}`)
    this.#fail(`Invalid value \`\`${value}'' for ${this.#written.get(option)} . Options are:`, ...list)
  }

  #failAt(option: Option, complaint: string, ...list: string[]): never {
    this.#fail(`Option ${this.#written.get(option)} ${complaint}`, ...list)
  }

  /** Something that is no option: an address, or an option without its dashes, may stand there by mistake. */
  async #failAtWord(text: string): Promise<never> {
    const { hintOnWord } = await import('./hints.js')
    const names = options.map(({ name }) => name)
    const hint = hintOnWord(text, commandNames, names)
    return this.#fail(`Unexpected argument \`\`${text}''`, ...(hint === undefined ? [] : [hint]))
  }

  /** Complains, and asks on a line of its own whether something else was meant. */
  async #failWithAdvice(complaint: string, word: string, candidates: readonly string[], prefix = ''): Promise<never> {
    const { closest } = await import('../engine/closest.js')
    const meant = closest(word, candidates)
    // A word that exists stands in the wrong place.
    if (meant === undefined || meant === word) this.#fail(complaint)
    this.#fail(complaint, `did you mean ${prefix}${meant}?`)
  }

  #fail(complaint: string, ...list: string[]): never {
    throw new Exit(1, [`${this.#context.programName}: ${complaint}`, ...list, ''].join('\n'))
  }
}

function namesProviding(traits: readonly Trait[]): string[] {
  return options
    .filter((option) => option.provides?.some((trait) => traits.includes(trait)))
    .flatMap(({ name, short }) => (short === undefined ? [`    --${name}`] : [`    --${name}`, `    -${short}`]))
}

/** Reads a command line, in the order it is written; throws an Exit when it is wrong, or asks for help. */
export function parseCommandLine(args: readonly string[], context: ParserContext): Promise<Settings> {
  return new Parser(args, context).parse()
}
