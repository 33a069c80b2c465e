import { nextContext } from './context-ids.js'

const FIRST_CAPACITY = 16

/**
 * Requests by their contexts. Thousands are on their way at a time: unlike in a Map, coming and going leaves nothing
 * behind for the garbage collector.
 */
export class RequestTable<Request> {
  #numbers = new Int32Array(FIRST_CAPACITY)
  /** A request stands where the low bits of its number say. */
  #requests: (Request | undefined)[] = new Array(FIRST_CAPACITY).fill(undefined)
  #count = 0

  /** Adds a request under a number that is not in use, with which its place is free. */
  add(request: Request): number {
    if (this.#count >= this.#requests.length / 2) this.#grow()
    const mask = this.#requests.length - 1
    let number = nextContext()
    while (this.#requests[number & mask] !== undefined) number = nextContext()
    this.#place(number, request)
    this.#count++
    return number
  }

  get(number: number): Request | undefined {
    const place = number & (this.#requests.length - 1)
    return this.#numbers[place] === number ? this.#requests[place] : undefined
  }

  delete(number: number): void {
    if (this.get(number) === undefined) return
    this.#requests[number & (this.#requests.length - 1)] = undefined
    this.#count--
  }

  /** Each request once for each of its contexts, with the number. */
  entries(): [number, Request][] {
    const all: [number, Request][] = []
    for (const [place, request] of this.#requests.entries()) {
      if (request !== undefined) all.push([this.#numbers[place]!, request])
    }
    return all
  }

  #place(number: number, request: Request): void {
    const place = number & (this.#requests.length - 1)
    this.#numbers[place] = number
    this.#requests[place] = request
  }

  /** With twice as many places, no two meet that had places of their own. */
  #grow(): void {
    const all = this.entries()
    const capacity = 2 * this.#requests.length
    this.#numbers = new Int32Array(capacity)
    this.#requests = new Array(capacity).fill(undefined)
    for (const [number, request] of all) this.#place(number, request)
  }
}
