/** Options of sockets: methods that read without an argument, and set with one. */
import { native } from '../engine/native.js'
import * as nn from '../nn/constants.js'
import { nn_errno, noted } from '../nn/failing.js'
import { SocketError } from './errors.js'

interface Option {
  readonly level: number
  readonly number: number
}

const ofSocket = (number: number): Option => ({ level: nn.NN_SOL_SOCKET, number })

/** Options whose values are numbers. */
export const numbers = {
  linger: ofSocket(nn.NN_LINGER),
  sndbuf: ofSocket(nn.NN_SNDBUF),
  rcvbuf: ofSocket(nn.NN_RCVBUF),
  sndtimeo: ofSocket(nn.NN_SNDTIMEO),
  rcvtimeo: ofSocket(nn.NN_RCVTIMEO),
  reconn: ofSocket(nn.NN_RECONNECT_IVL),
  maxreconn: ofSocket(nn.NN_RECONNECT_IVL_MAX),
  sndprio: ofSocket(nn.NN_SNDPRIO),
  rcvprio: ofSocket(nn.NN_RCVPRIO),
  rcvmaxsize: ofSocket(nn.NN_RCVMAXSIZE),
  maxttl: ofSocket(nn.NN_MAXTTL),
} as const satisfies Record<string, Option>

export type NumberOption = keyof typeof numbers

const tcpnodelay: Option = { level: nn.NN_TCP, number: nn.NN_TCP_NODELAY }
const ipv4only = ofSocket(nn.NN_IPV4ONLY)
const frameType: Option = { level: nn.NN_WS, number: nn.NN_WS_MSG_TYPE }

interface Owner {
  readonly binding: number
  readonly type: string
}

function read({ binding }: Owner, { level, number }: Option): number | undefined {
  const result = native.getOption(binding, level, number)
  if (typeof result !== 'number') return result.value
  noted({ errno: -result })
  return undefined
}

/** @param subject what the message says behind the error */
function write({ binding }: Owner, { level, number }: Option, value: number, subject: string): true {
  const rc = native.setOption(binding, level, number, value)
  if (rc < 0) throw new SocketError(-rc, 'setsockopt', (text) => `${text}: ${subject}\n`)
  return true
}

function readOrThrow(owner: Owner, option: Option, name: string): number {
  const current = read(owner, option)
  if (current !== undefined) return current
  throw new SocketError(nn_errno(), 'getsockopt', (text) => `${text}: ${owner.type} ${name}@getsockopt\n`)
}

/** The value for the engine: as ever, whatever is passed is made a whole number. */
function engineNumber(name: NumberOption, value: unknown): number {
  const number = Number(value) | 0
  // Any negative linger means that there is no limit, as it did when the option meant something.
  return name === 'linger' ? Math.max(number, -1) : number
}

export function numberOption(owner: Owner, name: NumberOption, value: unknown): number | true | undefined {
  if (value !== undefined) {
    return write(owner, numbers[name], engineNumber(name, value), `${owner.type}${name}@${String(value)}`)
  }
  const current = read(owner, numbers[name])
  // It has always read 0, which programs and tests know.
  return name === 'linger' && current !== undefined ? 0 : current
}

/** The arguments of a call: undefined is a value that is given. */
export type Given = readonly unknown[]

function booleanOption(owner: Owner, option: Option, name: string, isInverted: boolean, given: Given): boolean {
  if (given.length === 0) return (readOrThrow(owner, option, name) === 1) !== isInverted
  const isSet = Boolean(given[0])
  write(owner, option, Number(isSet !== isInverted), `${owner.type} ${name}@${isSet ? 'activing' : 'deactiving'}`)
  return isSet
}

export const noDelayOption = (owner: Owner, given: Given): boolean =>
  booleanOption(owner, tcpnodelay, 'nodelay', false, given)

export const ipv6Option = (owner: Owner, given: Given): boolean => booleanOption(owner, ipv4only, 'ipv6', true, given)

const frameTypes = ['text', 'binary'] as const

export function frameTypeOption(owner: Owner, given: Given): 'text' | 'binary' | true {
  if (given.length === 0) return frameTypes[readOrThrow(owner, frameType, 'wsopt') - 1]!
  const index = frameTypes.indexOf(given[0] as 'text' | 'binary')
  return write(owner, frameType, index + 1, `${owner.type} wsopt@${String(given[0])}`)
}
