/** Random numbers that are the same for the same seed (a linear congruential generator; the high bits are used). */
export class Random {
  #state: bigint

  constructor(seed: number) {
    this.#state = BigInt(seed)
  }

  /** A whole number from 0 to limit - 1. */
  below(limit: number): number {
    this.#state = BigInt.asUintN(64, this.#state * 6364136223846793005n + 1442695040888963407n)
    return Number(this.#state >> 33n) % limit
  }

  bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.below(256)))
  }

  /** The bytes with a few changed, cut out or repeated. */
  damage(bytes: Buffer): Buffer {
    const damaged = Buffer.from(bytes)
    for (let i = this.below(4); i >= 0; i--) damaged[this.below(damaged.length)] = this.below(256)
    const [begin, end] = [this.below(damaged.length), this.below(damaged.length)]
    if (begin > end) return Buffer.concat([damaged, damaged.subarray(end, begin)])
    return this.below(2) === 0 ? damaged : Buffer.concat([damaged.subarray(0, begin), damaged.subarray(end)])
  }
}
