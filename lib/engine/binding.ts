/** What JavaScript and the addon have in common: the memory that both use, and the functions of the addon. */

/** Memory that JavaScript and the engine's binding both use. Small messages cross as numbers in it, not as objects. */
export interface Shared {
  /** Pairs: a socket's id, and its NN_POLLIN | NN_POLLOUT | NN_LOOP_CLOSED | NN_LOOP_EVENTS. */
  readonly events: Int32Array
  /** Triples: a slab's token (or one of the marks below), offset, length. */
  readonly received: Int32Array
  /** Pairs, of messages in `received`: the context, or 0; and the pipe. */
  readonly contexts: Int32Array
  /** Quadruples: a descriptor, the offset and length of a body in `outgoing`, and a context; 0: none. */
  readonly records: Int32Array
  /** One number: how many records are not sent yet. When a Worker ends, the binding sends them. */
  readonly gathered: Int32Array
  readonly outgoing: Uint8Array
  /** Long bodies, at the index of their triple. */
  readonly bodies: (Buffer | undefined)[]
  /** ArrayBuffers that show what messages are received into, by token. */
  readonly slabs: (ArrayBuffer | undefined)[]
  /** What lib/engine/slabs.ts says. */
  readonly slabState: Int32Array
  readonly slabPins: Int32Array
  /** No message can be longer. */
  readonly maxBuffer: number
  /** 1: this V8 counts external memory of young objects as that of old ones. */
  readonly countsYoungMemory: 0 | 1
  /** How the addon is told that there is work: one of the constants below. */
  readonly watcherKind: typeof WATCH_BY_POLL | typeof WATCH_BY_THREAD
  /** Called once per wake-up, with the number of pairs in `events`. */
  dispatch(count: number): void
}

/** libuv polls a descriptor of the engine, as in Node.js. */
export const WATCH_BY_POLL = 0
/** A thread waits, and calls the event loop: where there is no libuv. */
export const WATCH_BY_THREAD = 1

/** In place of a token: the body is in `bodies`, and can be handed on; or others have it as well. Any other negative
 * number stands for an empty body. */
export const IN_BODIES = -1
export const SHARED_IN_BODIES = -3

/** An event of a connection, as nanomsg/loop.h describes it. */
export interface EngineEvent {
  readonly type: number
  readonly endpoint: number
  readonly isBound: boolean
  readonly error: number
  readonly protocol: number
  readonly pipe: number
  readonly lost: number
  /** Of the last failure: how long ago it was. */
  readonly ageMs: number
  readonly address: string
  readonly localAddress: string
  readonly remoteAddress: string
  /** With NN_EVENT_SLOW, as the two that follow. */
  readonly messagesDropped?: number
  readonly bytesDropped?: number
  readonly queuedBytes?: number
  readonly credentials?: { readonly pid: number; readonly uid: number; readonly gid: number }
  readonly headers?: Buffer
  readonly certificate?: Buffer
  readonly problem?: string
}

export interface PipeStatistics {
  ageMs: number
  messagesSent: number
  bytesSent: number
  messagesReceived: number
  bytesReceived: number
  messagesDropped: number
  bytesDropped: number
  queuedBytes: number
}

/** The functions of the binding. A negative result is a negated errno. */
export interface Functions {
  /** Returns a handle, which names this socket and no other that gets its number; the low 16 bits are the number. All
   * functions take either. */
  socket(domain: number, protocol: number, id: number): number
  close(s: number): number
  bind(s: number, address: string): number
  connect(s: number, address: string): number
  shutdown(s: number, endpoint: number): number
  renewTls(s: number, endpoint: number): number
  address(s: number, endpoint: number): string | number
  setOption(s: number, level: number, option: number, value: number | Uint8Array): number
  getOption(s: number, level: number, option: number): { value: number } | number
  name(s: number): string | number
  statistic(s: number, id: number): { value: number } | number
  monitor(s: number, isOn: boolean): number
  /** 0: there is none. */
  nextEvent(s: number): EngineEvent | number
  /** The event that describes the peer of a connection, a negated ENOENT when there is no such connection (any
   *  more). */
  peer(s: number, pipe: number): EngineEvent | number
  pipes(s: number, numbers: Int32Array): number
  /** What has gone through a connection, a negated ENOENT when there is no such connection (any more). */
  pipeStatistics(s: number, pipe: number): PipeStatistics | number
  /** The next peer that is held until it is decided about; 0: there is none. */
  nextCandidate(s: number): EngineEvent | number
  /** @param refusal why it is refused; undefined: it is admitted */
  admit(s: number, pipe: number, refusal: string | undefined): number
  /** Ends a connection. */
  disconnect(s: number, pipe: number): number
  /** The event that describes the last failure; 0: there is none. */
  lastFailure(s: number): EngineEvent | number
  /** How often the request of a context was sent. */
  sentTimes(s: number, context: number): number
  strerror(errno: number): string
  setReferenced(isReferenced: boolean): void
  /** While no socket listens to events, what this load of the package has in the engine ends with the functions. */
  setListening(isListening: boolean): void
  /** Sends the body at `offset` of `outgoing`, now or not at all. */
  send(s: number, offset: number, length: number, context: number): number
  /** Sends a body from where it is, or parts of one, now or not at all. */
  sendBody(s: number, body: Uint8Array | Uint8Array[], context: number): number
  /** Sends what `count` records from the one at `first` on name, all of one socket, if a peer takes the first message
   * now; then others may wait in the socket. Returns how many were taken. */
  sendTogether(s: number, first: number, count: number): number
  /** Sends what the first `count` records name. In the first record of each socket it leaves: ~descriptor when
   * messages wait in the socket; the number of refused messages; their errno. */
  flush(count: number): number
  /** Takes at most `limit` messages, and says in `received` where they are. */
  receive(s: number, limit: number): number
  /** The same from all contexts, and says in `contexts` from which. */
  receiveInContexts(s: number, limit: number): number
  /** A copy of bytes in a slab whose ArrayBuffer is detached; undefined when there is no memory. */
  slabBytes(token: number, offset: number, length: number): Buffer | undefined
  /** Ends a context. */
  closeContext(s: number, context: number): number

  // What lib/nn is made of. A message is a Uint8Array that shows all of an ArrayBuffer of the engine's memory; sending
  // or freeing it detaches the ArrayBuffer.
  allocMessage(size: number): ArrayBuffer | number
  reallocMessage(message: Uint8Array, size: number): ArrayBuffer | number
  freeMessage(message: Uint8Array): number
  sendMessage(s: number, message: Uint8Array): number
  /** The length of the message is received[0]: where there are no bytes, the ArrayBuffer has one nevertheless. */
  receiveMessage(s: number): ArrayBuffer | number
  /** As sendBody, but the socket keeps what no peer can take now. */
  queueBody(s: number, body: Uint8Array): number
  receiveInto(s: number, bytes: Uint8Array): number
  optionBytes(s: number, level: number, option: number, bytes: Uint8Array): number
  sendPieces(s: number, pieces: readonly Uint8Array[], control: Uint8Array | undefined): number
  sendDescribed(s: number, message: Uint8Array, control: Uint8Array | undefined): number
  /** Without pieces the message comes as out[0]; control data come as out[1], if there is such an element. */
  receiveDescribed(s: number, pieces: readonly Uint8Array[] | undefined, out: (ArrayBuffer | undefined)[]): number
  /** Triples: a descriptor, its events, and those of them that have come. */
  poll(entries: Int32Array, count: number): number
  openDevice(s1: number, s2: number): number
  /** Milliseconds to wait for more to forward are received[0]; -1: without limit. */
  runDevice(device: number, budget: number): number
  closeDevice(device: number): void
  /** The name; value, namespace, type and unit in `properties`. */
  symbol(i: number, properties: Int32Array): string | undefined
  term(): void
  /** Another thread, or nn_term(), has closed a socket of this environment. */
  disown(s: number): void
  /** Opens raw sockets of two protocols, on threads of their own that forward between them until one is closed. Returns
   * their handles. `ended` is called with the errno for which it ended, when what was accepted is delivered. */
  startDevice(firstProtocol: number, secondProtocol: number, ended: (errno: number) => void): [number, number] | number

  // Connections over streams of Node.js, by numbers.
  /** Begins one, with an endpoint of its own. `id` comes back with NN_POLLIN (drain), NN_POLLOUT (feed the rest),
   * NN_STREAM_FINISHED (nothing comes behind what can be drained) and NN_LOOP_CLOSED (the engine is done with it). */
  attachStream(s: number, address: string, isBound: boolean, id: number): number
  /** How many of the bytes from `offset` on were taken. */
  feedStream(stream: number, bytes: Uint8Array, offset: number): number
  drainStream(stream: number): Buffer[]
  endStream(stream: number, isBroken: boolean): void
  /** The stream takes nothing more. */
  closeStreamWrite(stream: number): void
  /** What was accepted can be taken as long as the socket lingers. */
  closeStream(stream: number): void
  releaseStream(stream: number): void
}
