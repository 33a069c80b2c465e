/** Waiting for several sockets. */
import { elementsOf } from '../engine/elements.js'
import { native } from '../engine/native.js'
import { ownOptions } from '../engine/own-options.js'
import { isArray } from '../engine/proxies.js'
import { hold, unhold } from '../engine/reactor.js'
import { EINVAL } from './constants.js'
import { type Descriptor, descriptorOf, notHere } from './descriptor.js'
import { checked, checkInt, failure, invalid, memoryFailure, notedUnknown } from './failing.js'

/** A socket, what is asked about it (NN_POLLIN, NN_POLLOUT), and the answer. */
export interface nn_pollfd {
  fd: number
  events: number
  /** Set when at least one of the sockets is ready. */
  revents?: number | undefined
}

function pollfdOf(asked: unknown): nn_pollfd {
  if (typeof asked === 'object' && asked !== null) return asked as nn_pollfd
  throw invalid('nn_poll', 'each of fds', 'an object such as { fd: s, events: NN_POLLIN }', asked)
}

function entriesOf(fds: readonly nn_pollfd[]): Int32Array {
  const entries = new Int32Array(3 * fds.length)
  fds.forEach((asked, i) => {
    const { fd, events } = ownOptions(asked, 'nn_poll', 'each of fds')
    checkInt(fd, 'fd', 'nn_poll')
    checkInt(events, 'events', 'nn_poll')
    entries[3 * i] = fd
    entries[3 * i + 1] = events
  })
  return entries
}

/** Those sockets about which something is asked. */
function descriptorsIn(entries: Int32Array): Set<Descriptor> {
  const descriptors = new Set<Descriptor>()
  for (let i = 0; i < entries.length; i += 3) {
    if (entries[i + 1] === 0) continue
    const descriptor = descriptorOf(entries[i]!)
    if (descriptor === undefined) throw notHere('nn_poll')
    descriptors.add(descriptor)
  }
  return descriptors
}

/** Waits until `look` says something other than 0, or the time is up. */
function waitFor(descriptors: ReadonlySet<Descriptor>, look: () => number, timeout: number): Promise<number> {
  return new Promise((resolve) => {
    const end = (result: number) => {
      for (const { watchers } of descriptors) watchers.delete(watcher)
      clearTimeout(timer)
      unhold()
      resolve(result)
    }
    const watcher = () => {
      const result = look()
      if (result !== 0) end(result)
    }
    const timer = timeout >= 0 ? setTimeout(end, timeout, 0) : undefined
    hold()
    for (const { watchers } of descriptors) watchers.add(watcher)
  })
}

async function poll(fds: readonly nn_pollfd[], timeout: number): Promise<number> {
  const entries = entriesOf(fds)
  const look = () => native.poll(entries, fds.length)
  let ready = checked(look(), 'nn_poll')
  if (ready === 0 && timeout !== 0) ready = checked(await waitFor(descriptorsIn(entries), look, timeout), 'nn_poll')
  if (ready > 0)
    fds.forEach((each, i) => {
      each.revents = entries[3 * i + 2]!
    })
  return ready
}

/**
 * Waits until one of the sockets is ready.
 *
 * @param nfds how many of them (default: all)
 * @param timeout milliseconds; negative: without limit (default)
 * @returns how many are ready; 0 when the time was up. Their `revents` say what for.
 * @throws {NanomsgError} EBADF; ENOPROTOOPT when a type that cannot receive is asked about NN_POLLIN, …; EINVAL, EFAULT
 */
export async function nn_poll(fds: nn_pollfd[], nfds?: number, timeout: number = -1): Promise<number> {
  try {
    if (!isArray(fds)) throw invalid('nn_poll', 'fds', 'an array', fds)
    const count = nfds ?? fds.length
    checkInt(count, 'nfds', 'nn_poll')
    checkInt(timeout, 'timeout', 'nn_poll')
    if (count < 0) throw failure(EINVAL, 'nn_poll', '(nfds is negative)')
    if (count > fds.length) throw memoryFailure('nn_poll', `nfds is ${count}, but there are ${fds.length}`)
    return await poll(elementsOf(fds, 'fds', 'nn_poll', pollfdOf, count), timeout)
  } catch (error) {
    throw notedUnknown(error)
  }
}
