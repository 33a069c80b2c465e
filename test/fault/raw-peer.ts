import { once } from 'node:events'
import { connect, createServer, type Server, type Socket as Stream } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { transports, turn } from '../api/support.js'

/** The transports on which SP is spoken right over a stream of bytes. */
export const streams = transports.filter(({ scheme }) => scheme === 'tcp' || scheme === 'ipc')

/** Numbers of protocols, as handshakes carry them. */
export const ids = {
  pair: 0x10,
  pub: 0x20,
  sub: 0x21,
  req: 0x30,
  rep: 0x31,
  push: 0x50,
  pull: 0x51,
  surveyor: 0x62,
  respondent: 0x63,
  bus: 0x70,
} as const

export function handshake(protocol: number, reserved = 0): Buffer {
  const bytes = Buffer.from([0, 0x53, 0x50, 0, 0, 0, 0, 0])
  bytes.writeUInt16BE(protocol, 4)
  bytes.writeUInt16BE(reserved, 6)
  return bytes
}

/** Where to connect to, as node:net wants it. */
export function pathOrPort(address: string): { path: string } | { port: number; host: string } {
  if (address.startsWith('ipc://')) return { path: address.slice('ipc://'.length) }
  return { port: Number(/:(\d+)$/.exec(address)![1]), host: '127.0.0.1' }
}

/** One end of a plain stream, which says what a test wants it to say. It reads only when it is told to. */
export class RawPeer {
  readonly stream: Stream
  readonly #isIpc: boolean
  readonly #wakers: (() => void)[] = []

  constructor(stream: Stream, address: string) {
    this.stream = stream
    this.#isIpc = address.startsWith('ipc://')
    stream.setNoDelay(true)
    stream.on('error', () => {}) // being reset is what such peers must expect
    for (const event of ['readable', 'end', 'close']) {
      stream.on(event, () => {
        for (const wake of this.#wakers.splice(0)) wake()
      })
    }
  }

  static async connect(address: string): Promise<RawPeer> {
    const peer = new RawPeer(connect({ ...pathOrPort(address), allowHalfOpen: true }), address)
    await once(peer.stream, 'connect')
    return peer
  }

  /** Connects and exchanges handshakes. */
  static async admitted(address: string, protocol: number): Promise<RawPeer> {
    const peer = await RawPeer.connect(address)
    await peer.handshake(protocol)
    return peer
  }

  async handshake(protocol: number): Promise<Buffer> {
    this.stream.write(handshake(protocol))
    return this.read(8)
  }

  /** What comes before the body of a message. */
  prefix(bodyBytes: number | bigint): Buffer {
    const length = Buffer.alloc(8)
    length.writeBigUInt64BE(BigInt(bodyBytes))
    return this.#isIpc ? Buffer.concat([Buffer.from([1]), length]) : length
  }

  message(body: string | Uint8Array): Buffer {
    const bytes = Buffer.from(body)
    return Buffer.concat([this.prefix(bytes.length), bytes])
  }

  /** Writes, and returns when the kernel has taken it or the connection is no more. */
  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.stream.write(bytes, () => resolve()))
  }

  /** Writes so that the other side reads every byte by itself. */
  async writeSlowly(bytes: Uint8Array): Promise<void> {
    for (const byte of bytes) {
      await this.write(Buffer.from([byte]))
      await turn()
    }
  }

  async read(count: number): Promise<Buffer> {
    for (;;) {
      const bytes = this.stream.read(count) as Buffer | null
      if (bytes?.length === count) return bytes
      if (this.isClosed) throw new Error('the stream has ended')
      await this.#changed()
    }
  }

  /** Something has come, or the stream has ended. */
  #changed(): Promise<void> {
    return new Promise((resolve) => this.#wakers.push(resolve))
  }

  async readMessage(): Promise<Buffer> {
    const prefix = await this.read(this.#isIpc ? 9 : 8)
    const count = Number(prefix.readBigUInt64BE(prefix.length - 8))
    return count === 0 ? Buffer.alloc(0) : this.read(count)
  }

  /** Ends our half of the stream; what was written before still arrives. */
  end(): Promise<void> {
    return new Promise((resolve) => this.stream.end(resolve))
  }

  /** Ends both halves, when what was written is with the kernel. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.stream.once('close', resolve)
      this.stream.destroySoon()
    })
  }

  /** Ends the stream as a crashed machine does: by a reset, where the transport knows one. */
  reset(): void {
    if (this.#isIpc) this.stream.destroy()
    else this.stream.resetAndDestroy()
  }

  get isClosed(): boolean {
    return this.stream.readableEnded || this.stream.destroyed
  }

  /** Reads and forgets whatever comes until the other side closes. */
  async closedByOther(): Promise<void> {
    while (!this.isClosed) {
      if (this.stream.read() === null) await this.#changed()
    }
    this.stream.destroy()
  }

  [Symbol.dispose](): void {
    this.stream.destroy()
  }
}

let counter = 0

/** A plain server, and what it does with each connection. */
export class RawListener {
  readonly address: string
  readonly #server: Server
  readonly #peers: Set<RawPeer>

  private constructor(server: Server, address: string, peers: Set<RawPeer>) {
    this.#server = server
    this.address = address
    this.#peers = peers
  }

  static async open(scheme: string, onPeer: (peer: RawPeer) => void): Promise<RawListener> {
    const path = join(tmpdir(), `nn-raw-${process.pid}-${counter++}`)
    const peers = new Set<RawPeer>()
    const server = createServer({ allowHalfOpen: true }, (stream) => {
      const peer = new RawPeer(stream, `${scheme}://`)
      peers.add(peer)
      stream.once('close', () => peers.delete(peer))
      onPeer(peer)
    })
    server.listen(scheme === 'ipc' ? { path } : { port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    const bound = server.address() as { port: number }
    return new RawListener(server, scheme === 'ipc' ? `ipc://${path}` : `tcp://127.0.0.1:${bound.port}`, peers)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.#peers) peer[Symbol.dispose]()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
