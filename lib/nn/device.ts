import { native, shared } from '../engine/native.js'
import { hold, nextTurn, unhold } from '../engine/reactor.js'
import { type Descriptor, descriptorOf, notHere } from './descriptor.js'
import { checked, checkInt, failure } from './failing.js'

/** The limit of messages that are forwarded before other sockets get their turn. */
const BUDGET = 256

/** Forwards until the engine says that it is over. */
class Device {
  readonly #number: number
  readonly #descriptors: readonly Descriptor[]
  readonly #onEnd: (errno: number) => void
  #timer: NodeJS.Timeout | undefined
  #isDue = false
  #hasEnded = false

  constructor(number: number, descriptors: readonly Descriptor[], onEnd: (errno: number) => void) {
    this.#number = number
    this.#descriptors = descriptors
    this.#onEnd = onEnd
    hold()
    for (const { watchers } of descriptors) watchers.add(this.#run)
    this.#run()
  }

  readonly #run = (): void => {
    if (this.#hasEnded) return
    clearTimeout(this.#timer)
    const forwarded = native.runDevice(this.#number, BUDGET)
    const wait = shared.received[0]!
    if (forwarded < 0) this.#end(-forwarded)
    else if (forwarded >= BUDGET) this.#runNextTurn()
    else if (wait >= 0) this.#timer = setTimeout(this.#run, wait)
  }

  #runNextTurn(): void {
    if (this.#isDue) return
    this.#isDue = true
    nextTurn(() => {
      this.#isDue = false
      this.#run()
    })
  }

  #end(errno: number): void {
    this.#hasEnded = true
    for (const { watchers } of this.#descriptors) watchers.delete(this.#run)
    unhold()
    this.#onEnd(errno)
  }
}

/**
 * Forwards messages between two AF_SP_RAW sockets, both ways as far as their types allow; or from one back to itself
 * when the other is -1.
 *
 * @returns a promise that is rejected when the device ends: because a socket is closed, or waiting was too long
 *   (NN_RCVTIMEO, NN_SNDTIMEO)
 * @throws {NanomsgError} EBADF, EINVAL, ETIMEDOUT
 */
export async function nn_device(s1: number, s2: number): Promise<never> {
  checkInt(s1, 's1', 'nn_device')
  checkInt(s2, 's2', 'nn_device')
  const device = checked(native.openDevice(s1, s2), 'nn_device')
  const numbers = [...new Set([s1, s2])].filter((s) => s >= 0)
  const descriptors = numbers.map(descriptorOf).filter((each) => each !== undefined)
  if (descriptors.length < numbers.length) {
    native.closeDevice(device)
    throw notHere('nn_device')
  }
  const errno = await new Promise<number>((resolve) => {
    new Device(device, descriptors, resolve)
  })
  throw failure(errno, 'nn_device')
}
