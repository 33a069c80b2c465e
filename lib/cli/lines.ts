import { addAbortSignal, type Readable } from 'node:stream'
import { cannotRead } from './input.js'

const NEWLINE = 10

/** The lines of a stream as bytes, without their newlines. What follows the last newline is a line if it is not
 *  empty. */
export function linesOf(stream: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  addAbortSignal(signal, stream)
  // Reading reports an error, also one that came before.
  stream.on('error', () => {})
  return split(stream, signal)
}

async function* split(stream: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  let begun: Uint8Array[] = []
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      let start = 0
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
        const rest = chunk.subarray(start, end)
        start = end + 1
        yield begun.length === 0 ? rest : Buffer.concat([...begun, rest])
        begun = []
      }
      if (start < chunk.length) begun.push(chunk.subarray(start))
    }
  } catch (error) {
    signal.throwIfAborted()
    throw cannotRead('-', error)
  }
  if (begun.length > 0) yield Buffer.concat(begun)
}
