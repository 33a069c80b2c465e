import { markAsUntransferable } from 'node:worker_threads'

/** The class of all Buffers. Unlike Buffer.from() it makes a view without checking its arguments once more. */
const View = (
  Buffer as unknown as { [Symbol.species]: new (memory: ArrayBuffer, offset: number, length: number) => Buffer }
)[Symbol.species]

/**
 * Slabs of so many KiB may be alive before messages are copied out of later ones: whoever keeps a few of many small
 * messages would otherwise keep all that came with them. V8 collects garbage when it has grown by half of that, so
 * messages that nobody keeps are not copied.
 */
const CROWD_KIB = 128 * 1024
/** When no more than these are left, messages are views again. */
const FEW_KIB = 96 * 1024
/** Memory for so many bytes is part of the object. */
const LONGEST_INSIDE = 64

/** The memory that the engine receives into, by its tokens. */
export const slabs: ArrayBuffer[] = []

/** How much memory the slabs have that are alive: those, and those that somebody keeps messages in. The binding counts. */
export const slabKib = new Int32Array(1)

/** Memory that stays here when messages in it are handed on. */
const known = new WeakSet<ArrayBuffer>()

/** Makes a slab for the engine. It goes on receiving into one that messages lie in already: it cannot be given to another
 * thread. Returns undefined when there is no memory. */
export function makeSlab(bytes: number): ArrayBuffer | undefined {
  try {
    const slab = Buffer.allocUnsafeSlow(bytes).buffer as ArrayBuffer
    markAsUntransferable(slab)
    known.add(slab)
    return slab
  } catch {
    return undefined
  }
}

/** The binding hands over what is longer, as memory of its own. */
const LEAST_OWN_BYTES = 4 * 1024

/** Received messages of so many bytes that are copied when they are handed on, besides those in slabs. */
const copied = new WeakSet<Uint8Array>()

/** Whether a message is copied when it is handed on: one that was received in memory that stays here, or any short one. */
export function isCopiedWhenHandedOn(message: Uint8Array): boolean {
  if (!(message instanceof Uint8Array)) return false
  if (known.has(message.buffer as ArrayBuffer)) return true
  // What was handed over already has no bytes any more.
  return message.length < LEAST_OWN_BYTES ? message.length > 0 : copied.has(message)
}

export function noteCopied(message: Buffer): Buffer {
  copied.add(message)
  return message
}

const nothing = new ArrayBuffer(0)
markAsUntransferable(nothing)
known.add(nothing)

export const emptyBody = (): Buffer => new View(nothing, 0, 0)

let slabInUse: ArrayBuffer | undefined
let isCrowded = false

/** A message in a slab: a view on it, as long as that does not keep too much. */
export function bodyAt(token: number, offset: number, length: number): Buffer {
  const slab = slabs[token]!
  // Most messages lie in the slab of the one before.
  if (slab !== slabInUse || isCrowded) {
    slabInUse = slab
    isCrowded = slabKib[0]! > (isCrowded ? FEW_KIB : CROWD_KIB)
  }
  const view = new View(slab, offset, length)
  return isCrowded ? copyOf(view) : view
}

/** Short ones in an object of their own, others in Buffer's pool, whose pieces of 8 KiB hold few. */
function copyOf(view: Buffer): Buffer {
  // Buffer's own slice() makes views.
  if (view.length <= LONGEST_INSIDE) return Uint8Array.prototype.slice.call(view) as Buffer
  const copy = Buffer.from(view)
  return view.length < LEAST_OWN_BYTES ? copy : noteCopied(copy)
}
