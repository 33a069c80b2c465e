import type { Readable, Writable } from 'node:stream'
import type { ReadableStream, WritableStream } from 'node:stream/web'
import { argumentError } from '../engine/errors.js'
import { ownOptions } from '../engine/own-options.js'
import type { Body } from './bytes.js'

// Only programs that use streams pay for loading it.
const stream = () => require('node:stream') as typeof import('node:stream')

/** Which kind of stream: Node's own, or that of the web. */
export interface StreamKind<Type extends 'node' | 'web' = 'node' | 'web'> {
  type?: Type | undefined
}

export function checkKind(options: StreamKind | undefined, syscall: string): 'node' | 'web' {
  const type = (ownOptions(options, syscall) as StreamKind | null | undefined)?.type ?? 'node'
  if (type !== 'node' && type !== 'web') throw argumentError(syscall, 'type', "'node' or 'web'", type)
  return type
}

/** A stream of messages, each a chunk. It reads none ahead: a byte stream that takes the memory of the one before would
 * take its memory as well. */
export function readableOf(messages: AsyncIterable<Buffer>): Readable {
  return stream().Readable.from(messages, { objectMode: true, highWaterMark: 0 })
}

/** A stream into which each chunk is a message. A write is over when the message is accepted. */
export function writableOf(send: (body: Body) => Promise<void>): Writable {
  return new (stream().Writable)({
    objectMode: true,
    highWaterMark: 1,
    write(chunk, _encoding, done) {
      send(chunk).then(() => done(), done)
    },
  })
}

export const toWebReadable = (readable: Readable): ReadableStream<Buffer> =>
  stream().Readable.toWeb(readable) as ReadableStream<Buffer>

export const toWebWritable = (writable: Writable): WritableStream<Body> => stream().Writable.toWeb(writable)
