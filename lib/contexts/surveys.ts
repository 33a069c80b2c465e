import { checkConnected } from '../connections/circumstances.js'
import { addAbortListener, removeAbortListener } from '../engine/abort-listeners.js'
import { argumentError } from '../engine/errors.js'
import type { Handle } from '../engine/handle.js'
import { ownOptions } from '../engine/own-options.js'
import { ownCopyOf } from '../engine/slabs.js'
import { checkWaitOptions, MAX_TIMEOUT_MS } from '../engine/waits.js'
import type { Body } from '../messages/bytes.js'
import type { Inbox } from '../messages/inbox.js'
import type { Outbox } from '../messages/outbox.js'
import { nextContext } from './context-ids.js'
import { type ContextHandler, Multiplexer } from './multiplexer.js'
import { Peer } from './peer.js'

/** How long answers to a survey are received. */
export interface SurveyOptions {
  /** Milliseconds. Default: the socket's `deadline`. */
  deadline?: number | undefined
  /** Ends the survey: waiting is rejected with the signal's reason. */
  signal?: AbortSignal | undefined
  /** Whether answers come with their senders: as `{ body, peer }`. Default: false. */
  peers?: boolean | undefined
  /** Fails at once with `ENOTCONN` when no peer is connected. Default: false. */
  ifConnected?: boolean | undefined
}

/** An answer to a survey, and its sender. */
export interface Answer {
  readonly body: Buffer
  readonly peer: Peer
}

type Result = IteratorResult<Buffer | Answer, undefined>

/** One survey: its answers, as they come. */
class Survey implements AsyncIterableIterator<Buffer | Answer> {
  readonly #onEnd: () => void
  readonly #answers: (Buffer | Answer)[] = []
  readonly #waits: { resolve: (result: Result) => void; reject: (error: unknown) => void }[] = []
  #isOver = false
  #error: { reason: unknown } | undefined

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd
  }

  /** An answer that waits has memory of its own: the caller may give the memory of an earlier one to a byte stream. */
  add(body: Buffer, peer: Peer | undefined): void {
    const wait = this.#waits.shift()
    const answer = wait === undefined ? ownCopyOf(body) : body
    const value = peer === undefined ? answer : { body: answer, peer }
    if (wait === undefined) this.#answers.push(value)
    else wait.resolve({ value, done: false })
  }

  /** No more answers come; those that have come can still be taken. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#onEnd()
    for (const { resolve } of this.#waits.splice(0)) resolve({ value: undefined, done: true })
  }

  fail(reason: unknown): void {
    if (this.#isOver) return
    this.#answers.length = 0
    const wait = this.#waits.shift()
    if (wait === undefined) this.#error = { reason }
    else wait.reject(reason)
    this.end()
  }

  next(): Promise<Result> {
    const answer = this.#answers.shift()
    if (answer !== undefined) return Promise.resolve({ value: answer, done: false })
    if (this.#error !== undefined) {
      const { reason } = this.#error
      this.#error = undefined
      return Promise.reject(reason)
    }
    if (this.#isOver) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve, reject) => this.#waits.push({ resolve, reject }))
  }

  return(): Promise<Result> {
    this.#answers.length = 0
    this.#error = undefined
    this.end()
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

/** The surveys of a Surveyor that go on side by side. */
export class Surveys implements ContextHandler {
  readonly room = Number.POSITIVE_INFINITY
  readonly #handle: Handle
  readonly #multiplexer: Multiplexer
  readonly #surveys = new Map<number, { survey: Survey; timer: NodeJS.Timeout; peers: boolean }>()

  constructor(handle: Handle, inbox: Inbox, outbox: Outbox) {
    this.#handle = handle
    this.#multiplexer = new Multiplexer(handle.s, inbox, outbox, this)
    // Messages of contexts come first: what the multiplexer leaves is for the inbox.
    handle.addFirst(this.#multiplexer)
  }

  survey(question: Body, given: SurveyOptions, defaultDeadline: number): AsyncIterableIterator<Buffer | Answer> {
    const options = ownOptions(given, 'survey')
    checkWaitOptions(options, 'survey')
    const { deadline, signal, peers = false, ifConnected = false } = options
    for (const [name, value] of Object.entries({ peers, ifConnected })) {
      if (typeof value !== 'boolean') throw argumentError('survey', name, 'true or false', value)
    }
    const limit = deadline ?? defaultDeadline
    if (!(typeof limit === 'number' && limit >= 0 && limit <= MAX_TIMEOUT_MS)) {
      throw argumentError('survey', 'deadline', 'a number of milliseconds', limit)
    }
    signal?.throwIfAborted()
    checkConnected(this.#handle, 'survey', options)
    const context = nextContext()
    const onAbort = () => survey.fail(signal?.reason)
    const survey = new Survey(() => {
      clearTimeout(timer)
      if (signal !== undefined) removeAbortListener(signal, onAbort)
      this.#surveys.delete(context)
      this.#multiplexer.forget(context)
      this.#handle.waitRemoved()
    })
    this.#multiplexer.send(context, question)
    const timer = setTimeout(() => survey.end(), limit)
    if (!this.#handle.isReferenced) timer.unref()
    this.#surveys.set(context, { survey, timer, peers })
    this.#handle.waitAdded()
    if (signal !== undefined) addAbortListener(signal, onAbort)
    return survey
  }

  onMessage(context: number, body: Buffer, pipe: number): void {
    const asked = this.#surveys.get(context)
    asked?.survey.add(body, asked.peers ? new Peer(this.#handle, pipe) : undefined)
  }

  close(): void {
    for (const { survey } of [...this.#surveys.values()]) survey.end()
  }

  updateReferences(): void {
    for (const { timer } of this.#surveys.values()) {
      if (this.#handle.isReferenced) timer.ref()
      else timer.unref()
    }
  }
}
