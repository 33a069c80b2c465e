/** What bodies of MessagePack say of their own contents, before a reader believes it: readers make room for as many
 * values as an array says it has, so that some bytes that lie can take all memory, which ends the process. */

/** Of the first bytes 0xc0 to 0xdf: how many bytes follow that are a count, */
const countBytes = [
  0, 0, 0, 0, 1, 2, 4, 1, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 2, 4, 2, 4,
] as const
/** and how many others, besides those that are counted. */
const otherBytes = [
  0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17, 0, 0, 0, 0, 0, 0, 0,
] as const

/** First bytes whose count is one of values, for arrays, and of pairs of them, for maps. */
const FIRST_ARRAY = 0xdc
const FIRST_MAP = 0xde

/** Goes through the values of a body, and counts those that are still to come. */
class Counter {
  readonly #body: Buffer
  #at = 0
  #expected = 1

  constructor(body: Buffer) {
    this.#body = body
  }

  /** @throws {RangeError} there are fewer bytes than values, each of which has one at least */
  check(): void {
    while (this.#expected > 0) {
      if (this.#expected > this.#body.length - this.#at) throw new RangeError('It has fewer values than it says')
      this.#expected--
      this.#pass(this.#body[this.#at++]!)
    }
  }

  #pass(first: number): void {
    if (first < 0x80 || first >= 0xe0) return // a number
    if (first < 0x90) this.#expected += 2 * (first & 15)
    else if (first < 0xa0) this.#expected += first & 15
    else if (first < 0xc0) this.#at += first & 31
    else this.#passLong(first)
  }

  #passLong(first: number): void {
    const size = countBytes[first - 0xc0]!
    const count = size === 0 ? 0 : this.#body.readUIntBE(this.#at, size)
    this.#at += size + otherBytes[first - 0xc0]!
    if (first >= FIRST_MAP) this.#expected += 2 * count
    else if (first >= FIRST_ARRAY) this.#expected += count
    else this.#at += count
  }
}

/** @throws {RangeError} the body says that it has more values than it has bytes for */
export function checkCounts(body: Buffer): void {
  new Counter(body).check()
}
