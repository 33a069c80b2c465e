/** The functions that are called when the process exits. All loads of the package share it, other versions as well: it
 * stays a set of functions, and `listener`, which calls them. */
interface Leaving extends Set<() => void> {
  listener?: () => void
}

const KEY = Symbol.for('nanomsg-native.leaving')
const registry = process as unknown as Record<symbol, Leaving | undefined>

/** One listener for all loads: each with its own would pass the limit that Node.js warns of. It keeps the load that has
 * made it, until the last function is removed. */
export function onProcessExit(leave: () => void): void {
  let leaving = registry[KEY]
  if (leaving === undefined) {
    const functions: Leaving = new Set()
    functions.listener = () => {
      for (const each of functions) each()
    }
    process.on('exit', functions.listener)
    Object.defineProperty(process, KEY, { value: functions, configurable: true })
    leaving = functions
  }
  leaving.add(leave)
}

export function offProcessExit(leave: () => void): void {
  const leaving = registry[KEY]
  if (leaving === undefined || !leaving.delete(leave) || leaving.size > 0) return
  if (leaving.listener !== undefined) process.removeListener('exit', leaving.listener)
  delete registry[KEY]
}
