/** The types of sockets, and what each can do. */
import {
  type AF_SP,
  type AF_SP_RAW,
  NN_BUS,
  NN_PAIR,
  NN_PUB,
  NN_PULL,
  NN_PUSH,
  NN_REP,
  NN_REQ,
  NN_RESPONDENT,
  NN_SUB,
  NN_SURVEYOR,
} from '../nn/constants.js'
import { invalid } from './errors.js'

interface Type {
  readonly protocol: number
  readonly sender: boolean
  /** It receives from the start. */
  readonly receiver: boolean
  /** What it sends or receives next depends on what it did before. */
  readonly isStateful: boolean
}

export const types = {
  req: { protocol: NN_REQ, sender: true, receiver: true, isStateful: true },
  rep: { protocol: NN_REP, sender: true, receiver: true, isStateful: true },
  pair: { protocol: NN_PAIR, sender: true, receiver: true, isStateful: false },
  push: { protocol: NN_PUSH, sender: true, receiver: false, isStateful: false },
  pull: { protocol: NN_PULL, sender: false, receiver: true, isStateful: false },
  pub: { protocol: NN_PUB, sender: true, receiver: false, isStateful: false },
  sub: { protocol: NN_SUB, sender: false, receiver: true, isStateful: false },
  bus: { protocol: NN_BUS, sender: true, receiver: true, isStateful: false },
  surveyor: { protocol: NN_SURVEYOR, sender: true, receiver: false, isStateful: true },
  respondent: { protocol: NN_RESPONDENT, sender: true, receiver: true, isStateful: true },
} as const satisfies Record<string, Type>

export type SocketType = keyof typeof types
export type Protocol = (typeof types)[SocketType]['protocol']
export type Domain = typeof AF_SP | typeof AF_SP_RAW

/** As String(), which throws for objects that have no text. */
function textOf(value: unknown): string {
  try {
    return String(value)
  } catch {
    return 'of an object'
  }
}

export function typeOf(name: unknown): Type & { readonly protocol: Protocol } {
  if (typeof name !== 'string' || !Object.hasOwn(types, name))
    throw invalid(new Error(`unrecognised socket type ${textOf(name)}`), 'socket')
  return types[name as SocketType]
}
