import { native } from './native.js'
import { fromEngine, type OptionName, options } from './options.js'
import { type Statistics, statisticsOf } from './statistics.js'

/** What a socket's name, options and statistics were when it was closed: listeners to its end may read them. */
export interface LastValues {
  readonly name: string
  readonly options: ReadonlyMap<OptionName, number | boolean | string>
  readonly statistics: Statistics
}

/** @returns undefined when the socket was closed from outside, so that its values are gone */
export function lastValuesOf(s: number): LastValues | undefined {
  const name = native.name(s)
  if (typeof name === 'number') return undefined
  const values = new Map<OptionName, number | boolean | string>()
  for (const [option, { level, number, kind }] of Object.entries(options)) {
    const value = native.getOption(s, level, number)
    // Other types of sockets have the rest of them.
    if (typeof value !== 'number') values.set(option as OptionName, fromEngine(kind, value.value))
  }
  try {
    return { name, options: values, statistics: statisticsOf(s) }
  } catch {
    return undefined // another thread has closed it meanwhile
  }
}
