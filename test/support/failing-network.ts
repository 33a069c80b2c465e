/** A network that delays, splits, cuts, freezes and swallows what goes through it: between a server and its clients. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket as Stream } from 'node:net'
import { Random } from '../fault/random.js'

/** What the network does from now on. */
export interface Weather {
  /** Each piece waits for up to this: connections overtake each other, and no piece another of its connection. */
  delayMs?: number
  /** Bytes go on in pieces of up to this length. */
  pieceBytes?: number
  /** A connection that is made is reset when it has carried up to this, both ways together. */
  cutWithinBytes?: number
  /** A connection that is made is reset at once. */
  refuses?: boolean
  /** Nothing goes on, and no end is told, until the weather is another. */
  freezes?: boolean
  /** What the server says vanishes, its end included; the other way is open. */
  swallowsAnswers?: boolean
}

type Direction = 'to the server' | 'to the client'

/** What the network holds of one direction before it reads no more. */
const HELD_BYTES = 64 * 1024

/** One direction of a connection. */
class Way {
  readonly #network: FailingNetwork
  readonly #direction: Direction
  readonly #from: Stream
  readonly #to: Stream
  readonly #carried: (bytes: number) => void
  readonly #held: Buffer[] = []
  #heldBytes = 0
  #hasEnded = false
  #isPassing = false

  constructor(
    network: FailingNetwork,
    direction: Direction,
    [from, to]: [Stream, Stream],
    carried: (bytes: number) => void,
  ) {
    this.#network = network
    this.#direction = direction
    this.#from = from
    this.#to = to
    this.#carried = carried
    from.on('data', (bytes: Buffer) => {
      this.#held.push(bytes)
      this.#heldBytes += bytes.length
      if (this.#heldBytes >= HELD_BYTES) from.pause()
      void this.pass()
    })
    from.on('end', () => {
      this.#hasEnded = true
      void this.pass()
    })
  }

  /** Passes on what is held, piece by piece, while the weather lets it. */
  async pass(): Promise<void> {
    if (this.#isPassing) return
    this.#isPassing = true
    while (!this.#to.destroyed && !this.#network.weather.freezes && this.#heldBytes > 0) {
      await this.#network.delay()
      if (!this.#network.weather.freezes) this.#passPiece()
    }
    this.#isPassing = false
    if (this.#hasEnded && this.#heldBytes === 0 && !this.#vanishes && !this.#network.weather.freezes) this.#to.end()
  }

  get #vanishes(): boolean {
    return this.#direction === 'to the client' && this.#network.weather.swallowsAnswers === true
  }

  #passPiece(): void {
    const bytes = this.#held.shift()!
    const piece = bytes.subarray(0, this.#network.pieceOf(bytes.length))
    if (piece.length < bytes.length) this.#held.unshift(bytes.subarray(piece.length))
    this.#heldBytes -= piece.length
    if (this.#heldBytes < HELD_BYTES) this.#from.resume()
    if (!this.#vanishes) this.#to.write(piece)
    this.#carried(piece.length)
  }
}

export class FailingNetwork implements AsyncDisposable {
  /** When connections were made, those that were refused included: milliseconds, as performance.now() counts. */
  readonly calls: number[] = []
  /** Connections that the network has reset after they had carried something. */
  cuts = 0
  readonly #random: Random
  readonly #server: Server
  readonly #streams = new Set<Stream>()
  readonly #ways = new Set<Way>()
  #weather: Weather = {}

  private constructor(port: number, seed: number) {
    this.#random = new Random(seed)
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#join(client, port))
  }

  /** Opens a network before the server at an address, as tcp://127.0.0.1:5555 or wss://localhost:5555/path. */
  static async before(address: string, seed: number): Promise<FailingNetwork> {
    const network = new FailingNetwork(Number(/:(\d+)/.exec(address)![1]), seed)
    network.#server.listen(0, '127.0.0.1')
    await once(network.#server, 'listening')
    return network
  }

  /** The server's address, as it is reached through the network. */
  through(address: string): string {
    return address.replace(/:\d+/, `:${(this.#server.address() as AddressInfo).port}`)
  }

  get weather(): Weather {
    return this.#weather
  }

  set weather(weather: Weather) {
    this.#weather = weather
    for (const way of this.#ways) void way.pass()
  }

  async delay(): Promise<void> {
    const { delayMs = 0 } = this.#weather
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.#random.below(delayMs + 1)))
  }

  pieceOf(length: number): number {
    return Math.min(length, 1 + this.#random.below(this.#weather.pieceBytes ?? length))
  }

  /** Resets all connections. */
  cutAll(): void {
    for (const stream of this.#streams) stream.resetAndDestroy()
  }

  #join(client: Stream, port: number): void {
    this.calls.push(performance.now())
    client.on('error', () => {})
    if (this.#weather.refuses) {
      client.resetAndDestroy()
      return
    }
    const server = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const both = [client, server]
    const { cutWithinBytes } = this.#weather
    let left = cutWithinBytes === undefined ? Number.POSITIVE_INFINITY : 1 + this.#random.below(cutWithinBytes)
    const carried = (bytes: number) => {
      left -= bytes
      if (left > 0 || client.destroyed) return
      this.cuts++
      for (const stream of both) stream.resetAndDestroy()
    }
    const ways = [
      new Way(this, 'to the server', [client, server], carried),
      new Way(this, 'to the client', [server, client], carried),
    ]
    for (const way of ways) this.#ways.add(way)
    for (const [stream, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#streams.add(stream)
      stream.setNoDelay(true)
      stream.on('error', () => this.#isQuiet || other.resetAndDestroy())
      stream.on('close', () => {
        this.#streams.delete(stream)
        if (both.every(({ destroyed }) => destroyed)) for (const way of ways) this.#ways.delete(way)
      })
    }
  }

  /** Whether a reset of one side is not told to the other. */
  get #isQuiet(): boolean {
    return this.#weather.freezes === true || this.#weather.swallowsAnswers === true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cutAll()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
