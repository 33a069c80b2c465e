/** Messages in pieces, and with control data. */
import { elementsOf } from '../engine/elements.js'
import { native } from '../engine/native.js'
import { ownOptions } from '../engine/own-options.js'
import { isArray } from '../engine/proxies.js'
import { EFAULT, EINVAL, EMSGSIZE, type NN_DONTWAIT, NN_MSG } from './constants.js'
import { copyRecords } from './control-data.js'
import { perform } from './descriptor.js'
import { checkInt, failure, invalid, memoryFailure } from './failing.js'
import { firstBytes, isView } from './memory.js'
import { messageIn, nn_freemsg, promised } from './messages.js'

/** A piece of a body; or all of it as a message that changes hands, with NN_MSG as its length. */
export interface nn_iovec {
  iov_base: Uint8Array | null
  /** Default: all bytes of iov_base. */
  iov_len?: number | undefined
}

export interface nn_msghdr {
  msg_iov: nn_iovec[]
  /** Default: all of msg_iov. */
  msg_iovlen?: number | undefined
  msg_control?: Uint8Array | null | undefined
  /** Default: all bytes of msg_control. NN_MSG: msg_control is, or becomes, a message. */
  msg_controllen?: number | undefined
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** Why in a copy: what a caller changes while the call waits must not change what has been checked. */
function pieceOf(piece: unknown, _name: string, syscall: string): { base: Uint8Array; isMessage: boolean } {
  if (!isObject(piece)) throw invalid(syscall, 'each of msg_iov', 'an object such as { iov_base: buffer }', piece)
  const { iov_base, iov_len } = ownOptions(piece as nn_iovec, syscall, 'each of msg_iov')
  if (iov_len === NN_MSG) return { base: isView(iov_base) ? iov_base : new Uint8Array(0), isMessage: true }
  if (iov_base !== null && !isView(iov_base)) {
    throw invalid(syscall, 'iov_base', 'a Buffer, a Uint8Array or null', iov_base)
  }
  return { base: firstBytes(iov_base ?? new Uint8Array(0), iov_len, syscall), isMessage: false }
}

interface Pieces {
  readonly bases: Uint8Array[]
  /** There is one piece, and it is a message, or gets one. */
  readonly isMessage: boolean
}

function piecesOf(msghdr: unknown, syscall: string): Pieces {
  if (!isObject(msghdr)) throw invalid(syscall, 'msghdr', 'an object such as { msg_iov: [] }', msghdr)
  const { msg_iov, msg_iovlen } = ownOptions(msghdr as nn_msghdr, syscall, 'msghdr')
  if (!isArray(msg_iov)) throw invalid(syscall, 'msg_iov', 'an array', msg_iov)
  const count = msg_iovlen ?? msg_iov.length
  checkInt(count, 'msg_iovlen', syscall)
  if (count < 0) throw failure(EMSGSIZE, syscall)
  if (count > msg_iov.length) throw memoryFailure(syscall, `msg_iov has ${msg_iov.length} pieces, not ${count}`)
  const pieces = elementsOf(msg_iov, 'msg_iov', syscall, pieceOf, count)
  const isMessage = pieces.some((piece) => piece.isMessage)
  if (isMessage && count > 1) throw failure(EINVAL, syscall, '(a message of NN_MSG is the only piece)')
  return { bases: pieces.map((piece) => piece.base), isMessage }
}

function controlOf(msghdr: nn_msghdr, syscall: string): Uint8Array | undefined {
  const { msg_control, msg_controllen } = ownOptions(msghdr, syscall, 'msghdr')
  if (msg_control === undefined || msg_control === null) return undefined
  if (!isView(msg_control)) throw invalid(syscall, 'msg_control', 'a Buffer or a Uint8Array', msg_control)
  return msg_controllen === NN_MSG ? msg_control : firstBytes(msg_control, msg_controllen, syscall)
}

/** Whether views still have the bytes that they had. */
function watchMemory(views: readonly Uint8Array[], syscall: string): () => void {
  const lengths = views.map((view) => view.length)
  return () => {
    if (views.some((view, i) => view.length !== lengths[i])) {
      throw memoryFailure(syscall, 'a buffer was transferred meanwhile')
    }
  }
}

// ---- Sending ----

function sendDescribed(s: number, msghdr: nn_msghdr, flags: unknown): number | Promise<number> {
  const { bases, isMessage } = piecesOf(msghdr, 'nn_sendmsg')
  const control = controlOf(msghdr, 'nn_sendmsg')
  const checkMemory = watchMemory(control === undefined ? bases : [...bases, control], 'nn_sendmsg')
  return perform(s, 'sends', 'nn_sendmsg', flags, () => {
    checkMemory()
    const rc = isMessage ? native.sendDescribed(s, bases[0]!, control) : native.sendPieces(s, bases, control)
    if (rc === -EFAULT) throw memoryFailure('nn_sendmsg', 'iov_base is no message, or msg_control has no bytes')
    return rc
  })
}

/** Control data in memory of nn_allocmsg() goes with the call, also when it fails. */
function releaseControl({ msg_control, msg_controllen }: Partial<nn_msghdr>): void {
  if (msg_controllen === NN_MSG && isView(msg_control)) native.freeMessage(msg_control)
}

/**
 * Sends one message, put together from pieces, with control data: the header of AF_SP_RAW sockets, for instance.
 *
 * @returns the length of the message
 * @throws {NanomsgError} as nn_send(); EMSGSIZE
 */
export function nn_sendmsg(s: number, msghdr: nn_msghdr, flags?: 0): Promise<number>
export function nn_sendmsg(s: number, msghdr: nn_msghdr, flags: typeof NN_DONTWAIT): number
export function nn_sendmsg(s: number, msghdr: nn_msghdr, flags?: number): number | Promise<number>
export function nn_sendmsg(s: number, msghdr: nn_msghdr, flags?: number): number | Promise<number> {
  return promised(flags, 'nn_sendmsg', () => {
    checkInt(s, 's', 'nn_sendmsg')
    const described = ownOptions(msghdr, 'nn_sendmsg', 'msghdr')
    try {
      const result = sendDescribed(s, described, flags)
      if (typeof result === 'number') releaseControl(described ?? {})
      return typeof result === 'number' ? result : result.finally(() => releaseControl(described ?? {}))
    } catch (error) {
      releaseControl(described ?? {})
      throw error
    }
  })
}

// ---- Receiving ----

/** Gives the caller what has been received. */
function writeControl(msghdr: nn_msghdr, room: Uint8Array | undefined, memory: ArrayBuffer): void {
  const control = messageIn(memory, memory.byteLength)
  if (room === undefined) {
    msghdr.msg_control = control
    return
  }
  copyRecords(control, room)
  nn_freemsg(control)
}

function receiveDescribed(s: number, msghdr: nn_msghdr, flags: unknown): number | Promise<number> {
  const { bases, isMessage } = piecesOf(msghdr, 'nn_recvmsg')
  const piece = isMessage ? msghdr.msg_iov[0] : undefined
  const room = msghdr.msg_controllen === NN_MSG ? undefined : controlOf(msghdr, 'nn_recvmsg')
  const hasControl = msghdr.msg_controllen === NN_MSG || room !== undefined
  const checkMemory = watchMemory(room === undefined ? bases : [...bases, room], 'nn_recvmsg')
  return perform(s, 'receives', 'nn_recvmsg', flags, () => {
    checkMemory()
    const out: (ArrayBuffer | undefined)[] = hasControl ? [undefined, undefined] : [undefined]
    const rc = native.receiveDescribed(s, isMessage ? undefined : bases, out)
    if (rc < 0) return rc
    if (piece !== undefined) piece.iov_base = messageIn(out[0]!, rc)
    if (out[1] !== undefined) writeControl(msghdr, room, out[1])
    return rc
  })
}

/**
 * Receives one message into pieces. A piece whose iov_len is NN_MSG gets the message itself as its iov_base;
 * msg_control gets the control data, as a message when msg_controllen is NN_MSG.
 *
 * @returns the full length of the message
 * @throws {NanomsgError} as nn_recv(); EMSGSIZE
 */
export function nn_recvmsg(s: number, msghdr: nn_msghdr, flags?: 0): Promise<number>
export function nn_recvmsg(s: number, msghdr: nn_msghdr, flags: typeof NN_DONTWAIT): number
export function nn_recvmsg(s: number, msghdr: nn_msghdr, flags?: number): number | Promise<number>
export function nn_recvmsg(s: number, msghdr: nn_msghdr, flags?: number): number | Promise<number> {
  return promised(flags, 'nn_recvmsg', () => {
    checkInt(s, 's', 'nn_recvmsg')
    return receiveDescribed(s, msghdr, flags)
  })
}
