import { argumentError } from './errors.js'
import { NN_TCP_KEEP_COUNT, NN_TCP_KEEP_IDLE, NN_TCP_KEEP_INTERVAL } from './option-numbers.js'
import { ownOptions } from './own-options.js'

/** When a peer that says nothing is asked whether it is there; what is left out is the system's. */
export interface KeepAlive {
  /** Milliseconds of silence until it is asked, in whole seconds. */
  readonly idle?: number | undefined
  /** Milliseconds from one question to the next, in whole seconds. */
  readonly interval?: number | undefined
  /** Questions without an answer after which it counts as gone. */
  readonly count?: number | undefined
}

const rows = [
  { name: 'idle', number: NN_TCP_KEEP_IDLE, highest: 32_767_000, unit: 'milliseconds' },
  { name: 'interval', number: NN_TCP_KEEP_INTERVAL, highest: 32_767_000, unit: 'milliseconds' },
  { name: 'count', number: NN_TCP_KEEP_COUNT, highest: 127, unit: 'questions' },
] as const

/** The options of the engine, and the object without what is undefined. */
export function keepAliveSettings(given: unknown): {
  keepAlive: KeepAlive
  settings: { number: number; value: number }[]
} {
  if (typeof given !== 'object' || given === null) {
    throw argumentError('setsockopt', 'keepAlive', 'an object { idle, interval, count }', given)
  }
  const own = ownOptions(given, 'setsockopt', 'keepAlive') as Readonly<Record<string, unknown>>
  const unknown = Object.keys(own).find((name) => !rows.some((row) => row.name === name))
  if (unknown !== undefined) {
    throw argumentError('setsockopt', 'an option of keepAlive', 'one of idle, interval, count', unknown)
  }
  const keepAlive: Record<string, number> = {}
  const settings = rows.map(({ name, number, highest, unit }) => {
    const value = own[name]
    if (value === undefined) return { number, value: 0 }
    if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > highest) {
      const expectation = `a whole number of ${unit} from 1 to ${highest}`
      throw argumentError('setsockopt', `keepAlive.${name}`, expectation, value)
    }
    keepAlive[name] = value as number
    return { number, value: value as number }
  })
  return { keepAlive: Object.freeze(keepAlive), settings }
}
