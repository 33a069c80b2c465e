import { constants } from 'node:os'
import { addAbortListener, removeAbortListener } from './abort-listeners.js'
import { argumentError, errnoError, type NanomsgError, traced } from './errors.js'

/** How long to wait. */
export interface WaitOptions {
  /** Milliseconds; -1 waits for ever, 0 not at all. Default: the socket's `sendTimeout` or `receiveTimeout`. */
  timeout?: number | undefined
  /** Gives up waiting: the promise is rejected with the signal's reason. */
  signal?: AbortSignal | undefined
}

/** One call that waits, for instance with the body it wants to send. */
interface Wait<Job, Result> {
  readonly job: Job
  /** The name of the call. */
  readonly syscall: string
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
  readonly signal: AbortSignal | undefined
  onAbort: (() => void) | undefined
  timer: NodeJS.Timeout | undefined
  previous: Wait<Job, Result> | undefined
  next: Wait<Job, Result> | undefined
}

/** What counts the calls that wait, and keeps the process alive while there are any. */
export interface RefCounter {
  readonly isReferenced: boolean
  waitAdded(): void
  waitRemoved(): void
}

/** Longer delays overflow Node's timers, which would then fire at once. */
export const MAX_TIMEOUT_MS = 0x7fffffff

/** Calls that wait, first come, first served. */
export class WaitQueue<Job, Result> {
  readonly #syscall: string
  readonly #refCounter: RefCounter
  readonly #timeoutOf: (job: Job, syscall: string) => NanomsgError
  #first: Wait<Job, Result> | undefined
  #last: Wait<Job, Result> | undefined

  /** @param timeoutOf makes the error of a call whose time is over */
  constructor(
    syscall: string,
    refCounter: RefCounter,
    timeoutOf: (job: Job, syscall: string) => NanomsgError = (_, name) => errnoError(constants.errno.ETIMEDOUT, name),
  ) {
    this.#syscall = syscall
    this.#refCounter = refCounter
    this.#timeoutOf = timeoutOf
  }

  get isEmpty(): boolean {
    return this.#first === undefined
  }

  /** The job of the call that is next. Only when there is one. */
  get firstJob(): Job {
    return this.#first!.job
  }

  /**
   * @param defaultTimeout milliseconds, for calls that name none
   * @param syscall the name of the call, where it is not that of the queue
   */
  add(
    job: Job,
    options: WaitOptions | undefined,
    defaultTimeout: number,
    syscall: string = this.#syscall,
  ): Promise<Result> {
    const timeout = options?.timeout ?? defaultTimeout
    const signal = options?.signal
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (timeout === 0) return Promise.reject(this.#timeoutOf(job, syscall))
    const hasTimer = timeout > 0 && timeout <= MAX_TIMEOUT_MS
    const promise = new Promise<Result>((resolve, reject) => {
      const wait: Wait<Job, Result> = {
        job,
        syscall,
        resolve,
        reject,
        signal,
        onAbort: undefined,
        timer: undefined,
        previous: this.#last,
        next: undefined,
      }
      this.#link(wait)
      if (signal !== undefined) this.#watch(wait, signal)
      if (hasTimer) this.#startTimer(wait, timeout)
    })
    return hasTimer ? traced(promise, signal) : promise
  }

  resolveFirst(result: Result): void {
    const wait = this.#first!
    this.#remove(wait)
    wait.resolve(result)
  }

  rejectFirst(error: unknown): void {
    const wait = this.#first!
    this.#remove(wait)
    wait.reject(error)
  }

  /** Resolves those that wait for what has come, wherever they stand. */
  resolveWhere(isDone: (job: Job) => boolean, result: Result): void {
    for (let wait = this.#first; wait !== undefined; wait = wait.next) {
      if (!isDone(wait.job)) continue
      this.#remove(wait)
      wait.resolve(result)
    }
  }

  rejectAll(makeError: (syscall: string) => unknown): void {
    while (this.#first !== undefined) this.rejectFirst(makeError(this.#first.syscall))
  }

  #watch(wait: Wait<Job, Result>, signal: AbortSignal): void {
    wait.onAbort = () => {
      this.#remove(wait)
      wait.reject(signal.reason)
    }
    addAbortListener(signal, wait.onAbort)
  }

  #startTimer(wait: Wait<Job, Result>, timeout: number): void {
    wait.timer = setTimeout(() => {
      this.#remove(wait)
      wait.reject(this.#timeoutOf(wait.job, wait.syscall))
    }, timeout)
    if (!this.#refCounter.isReferenced) wait.timer.unref()
  }

  /** The socket was referenced or unreferenced: its timers follow. */
  updateReferences(): void {
    for (let wait = this.#first; wait !== undefined; wait = wait.next) {
      if (this.#refCounter.isReferenced) wait.timer?.ref()
      else wait.timer?.unref()
    }
  }

  #link(wait: Wait<Job, Result>): void {
    if (this.#last === undefined) this.#first = wait
    else this.#last.next = wait
    this.#last = wait
    this.#refCounter.waitAdded()
  }

  #remove(wait: Wait<Job, Result>): void {
    if (wait.previous === undefined) this.#first = wait.next
    else wait.previous.next = wait.next
    if (wait.next === undefined) this.#last = wait.previous
    else wait.next.previous = wait.previous
    if (wait.timer !== undefined) clearTimeout(wait.timer)
    if (wait.onAbort !== undefined) removeAbortListener(wait.signal!, wait.onAbort)
    this.#refCounter.waitRemoved()
  }
}

/** A Proxy of one, or what only inherits from it, cannot be listened to. */
function isSignal(value: unknown): value is AbortSignal {
  try {
    return value instanceof AbortSignal && typeof value.aborted === 'boolean'
  } catch {
    return false
  }
}

/** Checks what a caller has passed to a function that waits. */
export function checkWaitOptions(options: WaitOptions | undefined, syscall: string): void {
  if (options === undefined) return
  if (typeof options !== 'object' || options === null) {
    throw argumentError(syscall, 'options', 'an object such as { timeout: 1000 }', options)
  }
  const { timeout, signal } = options
  if (timeout !== undefined && !(typeof timeout === 'number' && (timeout >= 0 || timeout === -1))) {
    throw argumentError(syscall, 'timeout', 'a number of milliseconds, or -1 to wait for ever', timeout)
  }
  if (signal !== undefined && !isSignal(signal)) {
    throw argumentError(syscall, 'signal', 'an AbortSignal', signal)
  }
}
