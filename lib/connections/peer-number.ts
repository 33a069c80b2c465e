import { memberOf } from '../engine/own-options.js'
import { inheritsRevoked } from '../engine/proxies.js'

const pipeOf = (peer: unknown): unknown =>
  inheritsRevoked(peer) ? undefined : memberOf(Object(peer) as { pipe: number }, 'pipe')

/** Numbers of connections have 31 bits: a number that is longer is that of none, and the engine would shorten it. */
const isPipe = (pipe: unknown): pipe is number => Number.isInteger(pipe) && Math.abs(pipe as number) < 2 ** 31

/** The number of a connection, given itself or as what has it as `pipe`. Undefined: it is none. */
export function peerNumber(peer: unknown): number | undefined {
  const pipe = typeof peer === 'number' ? peer : pipeOf(peer)
  return isPipe(pipe) ? pipe : undefined
}
