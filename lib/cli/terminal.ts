import type { Writable } from 'node:stream'

/** A stream that may be a terminal. */
export type MaybeTerminal = Writable & {
  readonly isTTY?: boolean
  readonly columns?: number
  hasColors?(): boolean
}

export type Style = 'bad' | 'good' | 'faint'

const codes: Readonly<Record<Style, readonly [on: number, off: number]>> = {
  bad: [31, 39],
  good: [32, 39],
  faint: [2, 22],
}

export const isTerminal = (stream: MaybeTerminal): boolean => stream.isTTY === true

/** Colours text for a terminal that can show it. NO_COLOR and FORCE_COLOR are heeded by Node.js itself. */
export function painter(stream: MaybeTerminal): (style: Style, text: string) => string {
  if (!isTerminal(stream) || stream.hasColors?.() !== true) return (_, text) => text
  return (style, text) => `\x1b[${codes[style][0]}m${text}\x1b[${codes[style][1]}m`
}

/** The last line of a terminal, which is written anew while other text goes by. */
export class StatusLine {
  readonly #stream: MaybeTerminal
  #shown = ''

  constructor(stream: MaybeTerminal) {
    this.#stream = stream
  }

  show(text: string): void {
    // A terminal without a size says 0. The cursor stays in the line's last column at most: a terminal that wraps it
    // would need two lines.
    const visible = text.slice(0, (this.#stream.columns || 80) - 1)
    if (visible === this.#shown) return
    this.#stream.write(`\r\x1b[K${visible}`)
    this.#shown = visible
  }

  /** Makes room for other text. */
  hide(): void {
    if (this.#shown === '') return
    this.#stream.write('\r\x1b[K')
    this.#shown = ''
  }

  /** Leaves the line where it is: what follows begins below it. */
  leave(): void {
    if (this.#shown !== '') this.#stream.write('\n')
    this.#shown = ''
  }
}
