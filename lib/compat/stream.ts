import { Duplex, type DuplexOptions } from 'node:stream'

/** @param made an object to make the stream of, instead of a new one */
type StreamConstructor = new (options: DuplexOptions, made?: object) => Duplex

const initialise = Duplex as unknown as (this: object, options: DuplexOptions) => void

function StreamOf(this: object, options: DuplexOptions, made?: object): object {
  const stream = made ?? this
  initialise.call(stream, options)
  return stream
}
StreamOf.prototype = Duplex.prototype

/** A stream that may also be made of an object that is there already, which then gets the fields of the class, too. */
export const Stream = StreamOf as unknown as StreamConstructor
