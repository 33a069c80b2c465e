import { peersText } from './events.js'
import type { Counts } from './sockets.js'
import { type MaybeTerminal, StatusLine } from './terminal.js'

const LOOK_MS = 100
const REFRESH_MS = 500

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

function rateText(messages: number, bytes: number, seconds: number): string {
  return `${whole.format(messages / seconds)} messages/s, ${(bytes / seconds / 1e6).toFixed(2)} MB/s`
}

/** What happened between two looks at the counts. */
export function statusText(before: Counts, now: Counts, seconds: number): string {
  const parts = []
  if (now.messagesSent > 0) {
    parts.push(`out ${rateText(now.messagesSent - before.messagesSent, now.bytesSent - before.bytesSent, seconds)}`)
  }
  if (now.messagesReceived > 0 || now.messagesSent === 0) {
    const messages = now.messagesReceived - before.messagesReceived
    parts.push(`in ${rateText(messages, now.bytesReceived - before.bytesReceived, seconds)}`)
  }
  return [...parts, peersText(now.currentConnections)].join(' | ')
}

export interface ObserverOptions {
  /** Shows the rates in the last line of this terminal. */
  terminal: MaybeTerminal | undefined
  /** Called with a line when peers come or go. */
  report: ((text: string) => void) | undefined
}

/** Looks at the counts from time to time: the engine counts peers and messages, and does not call when they change. */
export class Observer {
  readonly #look: () => Counts
  readonly #report: ObserverOptions['report']
  readonly #line: StatusLine | undefined
  #peers = 0
  #last: Counts
  #lastTime = performance.now()
  readonly #timers: NodeJS.Timeout[] = []
  #hasEnded = false

  constructor(look: () => Counts, { terminal, report }: ObserverOptions) {
    this.#look = look
    this.#report = report
    this.#last = look()
    if (report !== undefined) this.#timers.push(setInterval(() => this.#reportPeers(), LOOK_MS).unref())
    if (terminal !== undefined) {
      this.#line = new StatusLine(terminal)
      this.#timers.push(setInterval(() => this.#refresh(), REFRESH_MS).unref())
    }
  }

  /** Call before other text is written to the terminal. */
  makeRoom(): void {
    this.#line?.hide()
  }

  /** Looks for the last time: later the socket may be closed. */
  end(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    for (const timer of this.#timers) clearInterval(timer)
    this.#reportPeers()
    if (this.#line === undefined) return
    this.#refresh()
    this.#line.leave()
  }

  #reportPeers(): void {
    const before = this.#peers
    this.#peers = this.#look().currentConnections
    if (this.#peers > before) this.#report?.(`connected: ${peersText(this.#peers)}`)
    if (this.#peers < before) this.#report?.(`disconnected: ${peersText(this.#peers)}`)
  }

  #refresh(): void {
    const now = this.#look()
    const time = performance.now()
    this.#line?.show(statusText(this.#last, now, Math.max(time - this.#lastTime, 1) / 1000))
    this.#last = now
    this.#lastTime = time
  }
}
