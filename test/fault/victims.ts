import { readdirSync } from 'node:fs'
import { Pull, Push, Rep, Req, type SocketOptions } from 'nanomsg-native'
import { expect } from 'vitest'

/** A bound Pull that a test attacks, and a Push that must not notice. */
export class PullUnderAttack {
  readonly pull: Pull
  readonly address: string
  readonly #innocent = new Push()
  #sent = 0

  constructor(address: string, options?: SocketOptions) {
    this.pull = new Pull(options)
    this.address = this.pull.bind(address).address
    this.#innocent.connect(this.address)
  }

  /** The innocent peer's next message gets through. Returns what others sent before. */
  async serve(): Promise<Buffer[]> {
    const mark = `innocent ${this.#sent++}`
    const others: Buffer[] = []
    await this.#innocent.send(mark)
    for (;;) {
      const message = await this.pull.receive()
      if (String(message) === mark) return others
      others.push(message)
    }
  }

  /** The innocent peer is served, and no other was heard. */
  async expectOnlyInnocent(): Promise<void> {
    for (let i = 0; i < 3; i++) expect((await this.serve()).map(String)).toEqual([])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#innocent.close({ linger: 0 }), this.pull.close()])
  }
}

/** A bound Rep that a test attacks and that returns every request, and a Req that must not notice. */
export class EchoUnderAttack {
  readonly address: string
  readonly #rep: Rep
  readonly #innocent = new Req()
  readonly #ended: Promise<void>
  #sent = 0

  constructor(address: string, options?: SocketOptions) {
    this.#rep = new Rep(options)
    this.address = this.#rep.bind(address).address
    this.#innocent.connect(this.address)
    this.#ended = this.#echo()
  }

  async #echo(): Promise<void> {
    for await (const request of this.#rep) await this.#rep.send(request)
  }

  async serve(): Promise<void> {
    const mark = `innocent ${this.#sent++}`
    await this.#innocent.send(mark)
    expect(String(await this.#innocent.receive())).toBe(mark)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#innocent.close({ linger: 0 }), this.#rep.close({ linger: 0 })])
    await this.#ended
  }
}

/** A Pull gets a share of what a Push sends. What others take meanwhile is not counted: the kernel may accept a little
 * more for a peer that reads nothing. */
export async function expectServed(push: Push, pull: Pull): Promise<void> {
  let isOver = false
  const send = async () => {
    for (let i = 0; !isOver; i++) await push.send(`${i}`)
  }
  const sent = send()
  for (let last = -1, heard = 0; heard < 200; heard++) {
    const next = Number(await pull.receive())
    expect(next).toBeGreaterThan(last)
    last = next
  }
  isOver = true
  await sent
}

/** How many descriptors this process has open. */
export const openDescriptors = (): number => readdirSync('/dev/fd').length

/** Mebibytes of this process that are in memory. */
export const residentMiB = (): number => process.memoryUsage.rss() / 1024 / 1024
