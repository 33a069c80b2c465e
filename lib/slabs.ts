import { markAsUntransferable } from 'node:worker_threads'

/** The class of all Buffers. Unlike Buffer.from() it makes a view without checking its arguments once more. */
const View = (
  Buffer as unknown as { [Symbol.species]: new (memory: ArrayBuffer, offset: number, length: number) => Buffer }
)[Symbol.species]

/**
 * So many slabs (of 256 KiB) may be alive before messages are copied out of later ones: whoever keeps a few of many small
 * messages would otherwise keep all that came with them. V8 collects garbage when it has grown by half of that, so
 * messages that nobody keeps are not copied.
 */
const CROWD = 512
/** When no more than these are left, messages are views again. */
const FEW = 384
/** Memory for so many bytes is part of the object. */
const LONGEST_INSIDE = 64

/** The memory that the engine receives into, by its tokens. */
export const slabs: ArrayBuffer[] = []

let alive = 0
let isCrowded = false

/** Hears of slabs whose messages nobody keeps any more. */
const registry = new FinalizationRegistry<undefined>(() => {
  alive--
  if (alive <= FEW) isCrowded = false
})

/** Makes a slab for the engine. It goes on receiving into one that messages lie in already: it cannot be given to another
 * thread. Returns undefined when there is no memory. */
export function makeSlab(bytes: number): ArrayBuffer | undefined {
  try {
    const slab = Buffer.allocUnsafeSlow(bytes).buffer as ArrayBuffer
    markAsUntransferable(slab)
    registry.register(slab, undefined)
    alive++
    if (alive > CROWD) isCrowded = true
    return slab
  } catch {
    return undefined
  }
}

/** A message in a slab: a view on it, as long as that does not keep too much. */
export function bodyAt(token: number, offset: number, length: number): Buffer {
  const view = new View(slabs[token]!, offset, length)
  return isCrowded ? copyOf(view) : view
}

/** Short ones in an object of their own, others in Buffer's pool, whose pieces of 8 KiB hold few. */
function copyOf(view: Buffer): Buffer {
  // Buffer's own slice() makes views.
  if (view.length <= LONGEST_INSIDE) return Uint8Array.prototype.slice.call(view) as Buffer
  return Buffer.from(view)
}
