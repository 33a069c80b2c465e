import { constants } from 'node:os'
import { closedError, errnoError, NanomsgError } from '../engine/errors.js'
import { native } from '../engine/native.js'
import { hold, isTurnOver, type Listener, nextTurn, register, unhold, unregister } from '../engine/reactor.js'
import { type RefCounter, WaitQueue } from '../engine/waits.js'
import { NN_RCVTIMEO, NN_SNDTIMEO, NN_SOL_SOCKET } from './constants.js'
import { checked, dontWait, failure, noted, notedUnknown } from './failing.js'

const { EAGAIN, ENOTSUP } = constants.errno
const NN_POLLIN = 1
const NN_POLLOUT = 2
const NN_LOOP_CLOSED = 4
/** The part of a handle that is the socket's number. */
const SOCKET_NUMBER = 0xffff

/** Tries to do something now. Returns a negated errno when it fails. */
export type Attempt<Result> = () => Result | number

export type Side = 'sends' | 'receives'

const descriptors = new Map<number, Descriptor>()

/** A socket that this thread has opened: the calls that wait for it, first come, first served. */
export class Descriptor implements Listener, RefCounter {
  readonly isReferenced = true
  readonly sends = new WaitQueue<Attempt<unknown>, unknown>('nn_send', this)
  readonly receives = new WaitQueue<Attempt<unknown>, unknown>('nn_recv', this)
  /** Called whenever something may have changed. */
  readonly watchers = new Set<() => void>()
  readonly s: number
  /** Names this socket and no other that gets its number. */
  readonly #handle: number
  readonly #id: number

  constructor(domain: number, protocol: number) {
    this.#id = register(this)
    const handle = native.socket(domain, protocol, this.#id)
    if (handle < 0) unregister(this.#id)
    this.#handle = checked(handle, 'nn_socket')
    this.s = handle & SOCKET_NUMBER
    descriptors.set(this.s, this)
  }

  onEvents(events: number): void {
    if (events & NN_POLLIN) retry(this.receives, 'nn_recv')
    if (events & NN_POLLOUT) retry(this.sends, 'nn_send')
    if (events & NN_LOOP_CLOSED) this.#finish()
    for (const watcher of [...this.watchers]) watcher()
  }

  /** Ends the calls that wait. */
  close(): void {
    descriptors.delete(this.s)
    this.receives.rejectAll(() => closedError('nn_recv'))
    this.sends.rejectAll(() => closedError('nn_send'))
    for (const watcher of [...this.watchers]) watcher()
  }

  #finish(): void {
    unregister(this.#id)
    if (descriptors.get(this.s) !== this) return
    // By nn_term() or another thread.
    native.disown(this.#handle)
    this.close()
  }

  waitAdded(): void {
    hold()
  }

  waitRemoved(): void {
    unhold()
  }
}

/** The descriptor in this thread; undefined when the number is another thread's, or not in use. */
export const descriptorOf = (s: number): Descriptor | undefined => descriptors.get(s)

function retry(queue: WaitQueue<Attempt<unknown>, unknown>, syscall: string): void {
  while (!queue.isEmpty) {
    try {
      const result = queue.firstJob()
      if (result === -EAGAIN) return
      if (hasFailed(result)) queue.rejectFirst(errnoError(-result, syscall))
      else queue.resolveFirst(result)
    } catch (error) {
      queue.rejectFirst(error)
    }
  }
}

const hasFailed = (result: unknown): result is number => typeof result === 'number' && result < 0

/** Does something at once when the flags say so; else as soon as it is possible, in the order of the calls. */
export function perform<Result>(
  s: number,
  side: Side,
  syscall: string,
  flags: unknown,
  attempt: Attempt<Result>,
): Result | Promise<Result> {
  return dontWait(flags, syscall) ? resultOf(attempt(), syscall) : performLater(s, side, syscall, attempt)
}

function resultOf<Result>(result: Result | number, syscall: string): Result {
  if (hasFailed(result)) throw failure(-result, syscall)
  return result as Result
}

async function performLater<Result>(s: number, side: Side, syscall: string, attempt: Attempt<Result>): Promise<Result> {
  const descriptor = descriptors.get(s)
  if (descriptor === undefined || descriptor[side].isEmpty) {
    const result = attempt()
    if (result !== -EAGAIN) {
      if (isTurnOver(1)) await new Promise<void>(nextTurn)
      return resultOf(result, syscall)
    }
  }
  if (descriptor === undefined) throw notHere(syscall)
  try {
    return (await descriptor[side].add(attempt, { timeout: timeoutOf(descriptor, side) }, -1)) as Result
  } catch (error) {
    throw error instanceof NanomsgError ? noted(calledAs(syscall, error)) : error
  }
}

/** Only the thread whose event loop serves a socket can wait for it. */
export const notHere = (syscall: string): NanomsgError =>
  failure(ENOTSUP, syscall, '(another thread has opened the socket: wait for it there, or use NN_DONTWAIT)')

function timeoutOf(descriptor: Descriptor, side: Side): number {
  const option = native.getOption(descriptor.s, NN_SOL_SOCKET, side === 'sends' ? NN_SNDTIMEO : NN_RCVTIMEO)
  return typeof option === 'number' ? -1 : option.value
}

/** Queues name their errors by the function that is called most. */
const calledAs = (syscall: string, error: NanomsgError): NanomsgError =>
  error.syscall === syscall ? error : errnoError(error.errno, syscall)

/** Runs a function whose errors are noted for nn_errno(), wherever they come from. */
export function noting<Result>(run: () => Result): Result {
  try {
    return run()
  } catch (error) {
    throw notedUnknown(error)
  }
}
