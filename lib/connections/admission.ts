import type { EngineEvent } from '../engine/binding.js'
import type { Admit, Candidate } from '../engine/candidate.js'
import { argumentError } from '../engine/errors.js'
import type { Handle } from '../engine/handle.js'
import { native } from '../engine/native.js'
import { NN_ADMISSION_TIMEO, NN_SOL_SOCKET } from '../engine/option-numbers.js'
import type { Part } from '../engine/part.js'
import { isFunction, isRevoked } from '../engine/proxies.js'
import { stackOfThrown, textOfThrown } from '../engine/thrown.js'
import { protocolOf } from './events.js'
import { peerInfoOf } from './peer-info.js'

function candidateOf(event: EngineEvent): Candidate {
  const { pipe, address, localAddress, remoteAddress } = event
  return {
    pipe,
    protocol: protocolOf(event)!,
    address,
    localAddress: localAddress || undefined,
    remoteAddress: remoteAddress || undefined,
    ...peerInfoOf(event),
  }
}

export function checkAdmit(admit: unknown, syscall: string): asserts admit is Admit | undefined {
  if (admit !== undefined && !isFunction(admit)) throw argumentError(syscall, 'admit', 'a function', admit)
}

let hasWarned = false

/** The reject event says it, too; not every program listens. */
function warn(problem: string, error: unknown): void {
  if (hasWarned) return
  hasWarned = true
  process.emitWarning(`${problem}. That peer is refused, and others are asked about as before.`, {
    type: 'NanomsgWarning',
    code: 'NANOMSG_ADMIT',
    detail: stackOfThrown(error) ?? problem,
  })
}

/** Asks the program about the peers that come to a socket's bound endpoints. */
export class Admission implements Part {
  readonly #handle: Handle
  /** Those that were bound while there was an `admit`. */
  readonly #byAddress = new Map<string, Admit>()
  #admit: Admit | undefined
  #timeoutMs = 1000

  constructor(handle: Handle) {
    this.#handle = handle
  }

  get admit(): Admit | undefined {
    return this.#admit
  }
  set admit(admit: Admit | undefined) {
    this.#handle.assertOpen('setsockopt')
    this.#admit = admit
    this.#update()
  }

  get timeoutMs(): number {
    return this.#timeoutMs
  }
  set timeoutMs(ms: number) {
    this.#handle.assertOpen('setsockopt')
    this.#timeoutMs = ms
    this.#update()
  }

  /** An endpoint that is bound now has what is set now. */
  #update(): void {
    native.setOption(this.#handle.s, NN_SOL_SOCKET, NN_ADMISSION_TIMEO, this.#admit === undefined ? 0 : this.#timeoutMs)
  }

  bound(address: string): void {
    if (this.#admit !== undefined) this.#byAddress.set(address, this.#admit)
    else this.unbound(address)
  }

  /** Its peers are held no longer. */
  unbound(address: string): void {
    this.#byAddress.delete(address)
  }

  onEvents(): void {
    while (this.#handle.isOpen) {
      const event = native.nextCandidate(this.#handle.s)
      if (typeof event === 'number') return
      void this.#ask(event)
    }
  }

  async #ask(event: EngineEvent): Promise<void> {
    try {
      const admit = this.#byAddress.get(event.address) ?? this.#admit
      const given: unknown = admit?.(candidateOf(event))
      // To wait for a Proxy that was revoked throws a TypeError of V8.
      const isAdmitted = isRevoked(given) ? given : await given
      if (isAdmitted === true) this.#decide(event, undefined)
      else if (isAdmitted === false) this.#decide(event, 'admit() has said no')
      else this.#fail(event, 'admit() has returned neither true nor false', undefined)
    } catch (error) {
      this.#fail(event, `admit() has thrown: ${textOfThrown(error)}`, error)
    }
  }

  #fail(event: EngineEvent, problem: string, error: unknown): void {
    this.#decide(event, problem)
    warn(problem, error)
  }

  /** It may have left meanwhile, or the time is over. */
  #decide({ pipe }: EngineEvent, refusal: string | undefined): void {
    if (this.#handle.isOpen) native.admit(this.#handle.s, pipe, refusal)
  }
}
