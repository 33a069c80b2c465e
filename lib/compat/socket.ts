import { constants } from 'node:os'
import type { DuplexOptions } from 'node:stream'
import { EFSM } from '../engine/constants.js'
import { native } from '../engine/native.js'
import { ownOptions } from '../engine/own-options.js'
import { isArray, isRevoked } from '../engine/proxies.js'
import { hold, unhold } from '../engine/reactor.js'
import { AF_SP, AF_SP_RAW, NN_DONTWAIT } from '../nn/constants.js'
import { Descriptor } from '../nn/descriptor.js'
import { DispatchQueue, type Entry } from './dispatch-queue.js'
import { invalid, SocketError } from './errors.js'
import {
  frameTypeOption,
  type Given,
  ipv6Option,
  type NumberOption,
  noDelayOption,
  numberOption,
  numbers,
} from './options.js'
import { BATCH_LIMIT, Reception } from './reception.js'
import { connectionsBegin, onceSettled } from './settling.js'
import { Stream } from './stream.js'
import { Subscriptions } from './subscriptions.js'
import { type Domain, type Protocol, type SocketType, typeOf } from './types.js'

const { EBADF, ETIMEDOUT } = constants.errno

/** What can be given to socket(), besides the options of streams. */
export interface SocketOptions extends DuplexOptions {
  /** AF_SP_RAW instead of AF_SP: for devices. Such a socket receives nothing itself. */
  raw?: boolean | number | undefined
  /** What a sub subscribes to. Default: everything. */
  chan?: readonly (string | Buffer)[] | undefined
  dontwait?: boolean | undefined
  linger?: number | undefined
  sndbuf?: number | undefined
  rcvbuf?: number | undefined
  sndtimeo?: number | undefined
  rcvtimeo?: number | undefined
  reconn?: number | undefined
  maxreconn?: number | undefined
  sndprio?: number | undefined
  rcvprio?: number | undefined
  rcvmaxsize?: number | undefined
  maxttl?: number | undefined
  tcpnodelay?: boolean | undefined
  ipv6?: boolean | undefined
  wsopt?: 'text' | 'binary' | undefined
}

type Endpoints = Record<string, number>

/** Reads an option without an argument (undefined when the socket is closed), and sets it with one. */
export interface NumberMethod {
  (): number
  (value: number): true
}

function openDescriptor(domain: number, protocol: number): Descriptor {
  try {
    return new Descriptor(domain, protocol)
  } catch (error) {
    throw new SocketError((error as SocketError).errno, 'socket')
  }
}

/** A socket as a stream of messages. */
export class Socket extends Stream {
  readonly af_domain: Domain
  readonly type: SocketType
  readonly protocol: Protocol
  readonly sender: boolean
  readonly receiver: boolean
  /** The socket's number. */
  readonly binding: number
  /** Ids of endpoints by their addresses; null where bind() or connect() has failed. */
  readonly bound: Endpoints = {}
  readonly connected: Endpoints = {}
  /** Messages that wait to be sent. */
  readonly queue: Entry[]
  nndontwait: number
  readonly channels: Readonly<Record<string, true>>
  /** What the first close() has returned. */
  closed_status: number | undefined
  /** Applied to messages before they are sent. */
  declare transform?: (message: unknown) => unknown
  /** Applied to messages when they are received. */
  declare restore?: (message: Buffer) => unknown

  readonly #descriptor: Descriptor
  readonly #isStateful: boolean
  readonly #outgoing: DispatchQueue
  readonly #incoming: Reception
  readonly #subscriptions: Subscriptions
  #isFlushDue = false
  #isHeld = false

  constructor(type: SocketType, options?: SocketOptions | null)
  /** @internal @param made an object to make the socket of */
  constructor(type: SocketType, options?: SocketOptions | null, made?: Socket)
  constructor(type: SocketType, given?: SocketOptions | null, made?: Socket) {
    const { protocol, sender, receiver, isStateful } = typeOf(type)
    const options = ownOptions({ objectMode: true, ...ownOptions(given, 'socket') }, 'socket')
    if (options.chan !== undefined) checkChannels(options.chan)
    super(options, made)
    this.type = type
    this.protocol = protocol
    this.sender = sender
    this.receiver = receiver
    this.af_domain = options.raw ? AF_SP_RAW : AF_SP
    this.#descriptor = openDescriptor(this.af_domain, protocol)
    this.binding = this.#descriptor.s
    this.#isStateful = isStateful
    this.#outgoing = new DispatchQueue(this.#descriptor, isStateful, (message) => this.#transformed(message))
    this.queue = this.#outgoing.entries
    this.#subscriptions = new Subscriptions(this.binding)
    this.channels = this.#subscriptions.channels
    this.#incoming = new Reception(
      this.binding,
      (message) => this.#receive(message),
      (errno) => this.#receptionFailed(errno),
    )
    if (isStateful) this.#incoming.limit = 1
    this.nndontwait = NN_DONTWAIT
    this.#configure(options)
    this.#descriptor.watchers.add(this.#onEvents)
    this.#incoming.isOn = receiver && !this.#isRaw
    this.#updateHold()
  }

  get #isRaw(): boolean {
    return this.af_domain === AF_SP_RAW
  }

  get #isClosed(): boolean {
    return this.closed_status !== undefined
  }

  #configure(options: SocketOptions): void {
    try {
      this.#setAll(options)
    } catch (error) {
      native.close(this.binding)
      this.#descriptor.close()
      throw error
    }
  }

  #setAll(options: SocketOptions): void {
    this.dontwait('dontwait' in options ? options.dontwait : this.type !== 'push')
    for (const name of Object.keys(numbers) as NumberOption[]) {
      if (options[name] !== undefined) numberOption(this, name, options[name])
    }
    if (options.tcpnodelay !== undefined) this.tcpnodelay(options.tcpnodelay)
    if (options.ipv6 !== undefined) this.ipv6(options.ipv6)
    if (options.wsopt !== undefined) this.wsopt(options.wsopt)
    if (options.chan !== undefined) this.#subscribe(options.chan)
    else if (this.type === 'sub') this.#subscribe([''])
  }

  readonly #onEvents = (): void => {
    if (this.#isClosed) return
    this.#incoming.run()
    if (this.queue.length > 0 && !this.#isFlushDue) this.#flush()
  }

  /** As long as messages are awaited, or wait to be sent, the process goes on. */
  #updateHold(): void {
    const isHeld = !this.#isClosed && (this.#incoming.isOn || (this.sender && this.queue.length > 0))
    if (isHeld === this.#isHeld) return
    this.#isHeld = isHeld
    if (isHeld) hold()
    else unhold()
  }

  // ---- Endpoints ----

  /** Listens at an address. Returns the endpoint's id; or emits an error and returns null. */
  bind(address: string): number | null {
    return this.#attach('bind', this.bound, address)
  }

  /** Connects to an address, again and again. Returns the endpoint's id; or emits an error and returns null. */
  connect(address: string): number | null {
    return this.#attach('connect', this.connected, address)
  }

  #attach(call: 'bind' | 'connect', endpoints: Endpoints, address: string): number | null {
    const id = native[call](this.binding, String(address))
    if (id < 0) this.emit('error', new SocketError(-id, call))
    else connectionsBegin()
    const result = id < 0 ? null : id
    // Programs are typed as if there were numbers only.
    endpoints[address] = result as number
    return result
  }

  /** Removes the endpoint that bind() or connect() has made of the address. */
  shutdown(address: string): number | null | undefined {
    const endpoints = [this.bound, this.connected].find((each) => Object.hasOwn(each, address))
    if (endpoints === undefined) return undefined
    const rc = native.shutdown(this.binding, endpoints[address] ?? 0)
    delete endpoints[address]
    if (rc >= 0) return rc
    this.emit('error', new SocketError(-rc, 'shutdown'))
    return null
  }

  // ---- Sending ----

  /** Sends a message when the event loop turns, or as soon as a peer can take it. Returns its length. */
  // biome-ignore lint/suspicious/noExplicitAny: as ever, everything that has a text can be sent
  send(message: any, flags?: number): number {
    if (!mayHaveText(message)) {
      throw invalid(new TypeError('A message must be bytes, or something that has a text'), 'send')
    }
    const length = message.length
    this.queue.push([message, flags])
    if (this.sender && !this.#isClosed) this.#flushSoon()
    return length
  }

  /** Sends all that wait. What no peer can take now is sent later, also when the socket is closed. */
  flush(): void {
    if (this.#isClosed) return
    this.#flush()
    const errno = this.#outgoing.handOver()
    if (errno !== 0) this.#sendingFailed(errno)
    this.#updateHold()
  }

  #flushSoon(): void {
    this.#updateHold()
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    onceSettled(() => {
      this.#isFlushDue = false
      if (!this.#isClosed) this.#flush()
    })
  }

  #flush(): void {
    const { sent, errno } = this.#sendNow()
    // A reply without a request waits for one.
    if (errno !== 0 && (errno !== EFSM || sent > 0)) this.#sendingFailed(errno)
    if (sent > 0) this.#hasSent()
    this.#updateHold()
  }

  #sendNow(): { sent: number; errno: number } {
    try {
      return this.#outgoing.send()
    } catch (error) {
      // Of transform(): what waits behind that message is not to wait any longer.
      if (this.queue.length > 0) this.#flushSoon()
      throw error
    }
  }

  /** The message is given up: it would fail again. */
  #sendingFailed(errno: number): void {
    if (errno === EBADF) {
      this.#wasClosed()
      return
    }
    this.#outgoing.drop()
    if (this.queue.length > 0) this.#flushSoon()
    this.emit('error', new SocketError(errno, 'send'))
  }

  /** A SURVEYOR that has sent its survey receives answers; a REP that has replied receives the next request. */
  #hasSent(): void {
    if (this.type !== 'surveyor' && this.type !== 'rep') return
    this.#incoming.isOn = true
    this.#incoming.run()
  }

  #transformed(message: unknown): unknown {
    return typeof this.transform === 'function' ? this.transform(message) : message
  }

  override _write(chunk: unknown, _encoding: BufferEncoding, callback: (error?: Error) => void): void {
    try {
      this.send(chunk, this.nndontwait)
    } catch (error) {
      // The stream goes on with the chunks behind it.
      callback()
      this.emit('error', error)
      return
    }
    callback()
  }

  // ---- Receiving ----

  override _read(): void {}

  #receive(message: Buffer): void {
    if (this.#isClosed || !this.#subscriptions.wants(message)) return
    // One request at a time.
    if (this.type === 'rep') this.#incoming.isOn = false
    try {
      this.push(typeof this.restore === 'function' ? this.restore(message) : message)
    } finally {
      if (this.#isStateful && this.queue.length > 0 && !this.#isClosed) this.#flush()
      this.#updateHold()
    }
  }

  #receptionFailed(errno: number): void {
    if (errno === EBADF) this.#wasClosed()
    else if (errno === EFSM) this.#incoming.isOn &&= this.receiver
    else if (errno === ETIMEDOUT) this.#incoming.isOn = false
    else this.emit('error', new SocketError(errno, 'recv'))
    this.#updateHold()
  }

  // ---- Subscriptions ----

  /** Receives what begins with these; from the first call on, no longer everything. */
  chan(channels: readonly (string | Buffer)[]): void {
    checkChannels(channels)
    this.#subscribe(channels)
  }

  /** Receives what begins with these no longer. */
  rmchan(...channels: (string | Buffer)[]): void {
    for (const channel of channels) {
      if (this.#subscriptions.has(channel)) this.#subscriptionChanged(this.#subscriptions.remove(channel), channel)
    }
  }

  #subscribe(channels: readonly (string | Buffer)[]): void {
    for (const channel of channels) {
      // Whatever comes behind everything takes its place, also in one list.
      if (this.#subscriptions.isEverything) this.rmchan('')
      this.#subscriptionChanged(this.#subscriptions.add(channel), channel)
    }
  }

  #subscriptionChanged(rc: number, channel: string | Buffer): void {
    if (rc < 0) this.emit('error', new SocketError(-rc, 'setsockopt', (text) => `${text} : ${channel}`))
    // What is taken is chosen by the subscriptions of that moment: the next message may change them.
    if (this.type === 'sub') this.#incoming.limit = this.#subscriptions.isEverything ? BATCH_LIMIT : 1
  }

  // ---- Closing ----

  /** Closes the socket; what was sent is delivered for a while. Returns 0; again, what it has returned before. */
  close(): number {
    if (this.#isClosed) return this.closed_status!
    this.#close()
    this.emit('close')
    return this.closed_status!
  }

  #close(): void {
    this.#descriptor.watchers.delete(this.#onEvents)
    try {
      if (this.sender) this.#sendRest()
    } finally {
      const rc = native.close(this.binding)
      this.#end(rc < 0 ? -1 : 0)
      this.#descriptor.close()
    }
  }

  /** A message that cannot be sent holds up none of those behind it. */
  #sendRest(): void {
    const failures: unknown[] = []
    const attempt = (pass: () => number): boolean => {
      try {
        const errno = pass()
        if (errno === 0 || errno === EBADF || errno === EFSM) return true
        failures.push(new SocketError(errno, 'send'))
        this.#outgoing.drop()
      } catch (error) {
        failures.push(error) // of transform(); the queue has dropped its message
      }
      return false
    }
    attempt(() => this.#outgoing.send().errno)
    while (!attempt(() => this.#outgoing.handOver()));
    for (const failure of failures) this.emit('error', failure)
  }

  /** By term(), or by the number. */
  #wasClosed(): void {
    if (this.#isClosed) return
    this.#descriptor.watchers.delete(this.#onEvents)
    this.#end(0)
    this.emit('close')
  }

  #end(status: number): void {
    this.closed_status = status
    this.#incoming.isOn = false
    this.#updateHold()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.#isClosed) this.#close()
    callback(error)
  }

  // ---- Options ----

  /** Whether write() sends with NN_DONTWAIT: nothing waits here either way. */
  dontwait(value?: boolean): boolean
  dontwait(...given: Given): boolean {
    if (given.length > 0) this.nndontwait = given[0] ? NN_DONTWAIT : 0
    return Boolean(this.nndontwait)
  }

  tcpnodelay(value?: boolean): boolean
  tcpnodelay(...given: Given): boolean {
    return noDelayOption(this, given)
  }

  ipv6(value?: boolean): boolean
  ipv6(...given: Given): boolean {
    return ipv6Option(this, given)
  }

  /** The type of frames of ws. */
  wsopt(): 'text' | 'binary'
  wsopt(value: 'text' | 'binary' | (string & {})): true
  wsopt(...given: Given): 'text' | 'binary' | true {
    return frameTypeOption(this, given)
  }

  /** How long, in milliseconds, messages are delivered after close(). Reads 0, as ever. */
  declare linger: NumberMethod
  /** Bytes. */
  declare sndbuf: NumberMethod
  /** Bytes. */
  declare rcvbuf: NumberMethod
  /** Milliseconds; -1: without limit. */
  declare sndtimeo: NumberMethod
  /** Milliseconds; -1: without limit. */
  declare rcvtimeo: NumberMethod
  /** Milliseconds until the first attempt to connect again. */
  declare reconn: NumberMethod
  /** Milliseconds between attempts at most; 0: always as many as reconn. */
  declare maxreconn: NumberMethod
  /** From 1, which comes first, to 16: of endpoints that are added from now on. */
  declare sndprio: NumberMethod
  /** From 1, which comes first, to 16: of endpoints that are added from now on. */
  declare rcvprio: NumberMethod
  /** Bytes; -1: without limit. */
  declare rcvmaxsize: NumberMethod
  /** How many devices a message may pass. */
  declare maxttl: NumberMethod
}

for (const name of Object.keys(numbers) as NumberOption[]) {
  Object.defineProperty(Socket.prototype, name, {
    configurable: true,
    writable: true,
    value(this: Socket, value?: unknown) {
      return numberOption(this, name, value)
    },
  })
}

// Streams have such a property, too, which close() would not change.
Object.defineProperty(Socket.prototype, 'closed', {
  configurable: true,
  get(this: Socket) {
    return this.closed_status !== undefined
  },
})

function mayHaveText(message: unknown): boolean {
  if (message === null || message === undefined || typeof message === 'symbol' || isRevoked(message)) return false
  // What only inherits from an array of bytes, or is a Proxy of one, has no length.
  return ArrayBuffer.isView(message) || !(message instanceof Uint8Array)
}

function checkChannels(channels: unknown): void {
  if (!isArray(channels)) throw invalid(new TypeError('chan requires an Array'), 'chan')
}
