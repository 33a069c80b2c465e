import { isUint8Array } from 'node:util/types'
import { isGone } from './detached.js'

/** The class of all Buffers. Unlike Buffer.from() it makes a view without checking its arguments once more. */
const View = (
  Buffer as unknown as {
    [Symbol.species]: {
      new (memory: ArrayBuffer, offset: number, length: number): Buffer
      new (length: number): Buffer
    }
  }
)[Symbol.species]

/**
 * The limit of memory in slabs that are alive, above which messages are copied out of later ones: a program that keeps
 * a few of many small messages would otherwise keep all that came with them. V8 collects garbage when it has grown by
 * half of that, so messages that the program does not keep are not copied.
 */
const MAX_ALIVE_KIB = 128 * 1024
/** The limit below which messages are views again. */
const UNCROWDED_KIB = 96 * 1024
/** The limit up to which the bytes of an array are part of the object. */
const MAX_INLINE_BYTES = 64

/** ArrayBuffers that show the memory that the engine receives into, by its tokens. They can be detached at any time:
 * the engine then receives into others, and `copySlabBytes` still reads what messages they held. */
export const slabs: ArrayBuffer[] = []

/** Numbers that the binding writes: how much memory the slabs have that are alive, those with messages that the program
 * keeps included; and whether messages must have memory of their own, because a slab was detached or the runtime shows
 * no foreign memory. */
export const slabState = new Int32Array(2)
const ALIVE_KIB = 0
const MUST_COPY = 1

/** By token: how often messages in the slab are still to be viewed. The binding keeps the slab until then. */
export const slabPins = new Int32Array(4096)

/** Reads from a slab that is detached. */
let copySlabBytes: (token: number, offset: number, length: number) => Buffer

export function setSlabReader(read: typeof copySlabBytes): void {
  copySlabBytes = read
}

/** Memory that stays here when messages in it are handed on. */
const known = new WeakSet<ArrayBuffer>()

/** The binding hands over what is longer, as memory of its own. */
const MIN_OWN_BYTES = 4 * 1024

/** Received messages of at least MIN_OWN_BYTES that are copied when they are handed on, besides those in slabs. */
const copied = new WeakSet<Uint8Array>()

/** Whether a message is copied when it is handed on: one that was received in memory that stays here, or any short
 *  one. */
export function isCopiedWhenHandedOn(message: Uint8Array): boolean {
  if (!isUint8Array(message)) return false
  if (known.has(message.buffer as ArrayBuffer)) return true
  if (message.length >= MIN_OWN_BYTES) return copied.has(message)
  // What was handed over already has no bytes any more.
  return message.length > 0 || !isGone(message)
}

export function noteCopied(message: Buffer): Buffer {
  copied.add(message)
  return message
}

export const emptyBody = (): Buffer => new View(0)

let slabInUse: ArrayBuffer | undefined
/** A view on slabInUse that has no bytes when that is detached: V8 reads the length of a view faster than anything
 *  else. */
let probe: Buffer = new View(0)
let isCrowded = false
let mustCopy = false

/** A message in a slab: a view on it, as long as that does not keep too much. */
export function bodyAt(token: number, offset: number, length: number): Buffer {
  const slab = slabs[token]!
  // Most messages lie in the slab of the one before.
  if (slab === slabInUse && probe.length !== 0 && !isCrowded) return new View(slab, offset, length)
  return enterSlab(slab) ? viewOrCopyOf(new View(slab, offset, length)) : rescued(token, offset, length)
}

/** Looks whether views on the slab would keep too much, or take memory from each other. Returns false when it is
 *  detached. */
function enterSlab(slab: ArrayBuffer): boolean {
  if (slab !== slabInUse || probe.length === 0) {
    slabInUse = undefined
    if (slab.byteLength === 0) return false
    known.add(slab)
    probe = new View(slab, 0, 1)
    slabInUse = slab
  }
  mustCopy = slabState[MUST_COPY] !== 0
  isCrowded = mustCopy || slabState[ALIVE_KIB]! > (isCrowded ? UNCROWDED_KIB : MAX_ALIVE_KIB)
  return true
}

/** The slab was detached, by a byte stream for example, before the message was viewed. */
export function rescued(token: number, offset: number, length: number): Buffer {
  const copy = copySlabBytes(token, offset, length)
  return length < MIN_OWN_BYTES ? copy : noteCopied(copy)
}

function viewOrCopyOf(view: Buffer): Buffer {
  if (!isCrowded) return view
  return mustCopy ? ownCopyOf(view) : pooledCopyOf(view)
}

/** Memory of its own, also where Buffer's own slice() makes views and Buffer.from() uses a pool. */
export function ownCopyOf(view: Buffer): Buffer {
  const copy = Uint8Array.prototype.slice.call(view) as Buffer
  return view.length < MIN_OWN_BYTES ? copy : noteCopied(copy)
}

const POOL_BYTES = 8 * 1024
let pool = new ArrayBuffer(0)
let poolUsed = 0

/** Short ones in an object of their own, others in a pool, which holds few. It is not Buffer's pool, which cannot be
 * given to byte streams and is shared with other parts of the program. */
function pooledCopyOf(view: Buffer): Buffer {
  const { length } = view
  if (length <= MAX_INLINE_BYTES || length >= MIN_OWN_BYTES) return ownCopyOf(view)
  if (length > pool.byteLength - poolUsed) {
    pool = new ArrayBuffer(POOL_BYTES)
    poolUsed = 0
  }
  const copy = new View(pool, poolUsed, length)
  copy.set(view)
  poolUsed += (length + 7) & ~7
  return copy
}
