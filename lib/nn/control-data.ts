/** Control data: records behind each other, each a struct nn_cmsghdr and its data, as C lays them out. */

import { endianness } from 'node:os'
import { isUint8Array } from 'node:util/types'
import { ownOptions } from '../engine/own-options.js'
import { isInstance } from '../engine/proxies.js'
import { NN_MSG } from './constants.js'
import { checkInt, invalid, memoryFailure } from './failing.js'
import { firstBytes } from './memory.js'

const SIZE_T_BYTES = /^(arm|ia32|mips|mipsel|ppc|s390)$/.test(process.arch) ? 4 : 8
const INT_BYTES = 4
const HEAD_BYTES = SIZE_T_BYTES + 2 * INT_BYTES
const isLittle = endianness() === 'LE'

const align = (length: number): number => Math.ceil(length / SIZE_T_BYTES) * SIZE_T_BYTES

function checkLength(length: unknown, name: string, macro: string): asserts length is number {
  if (!Number.isSafeInteger(length) || (length as number) < 0) throw invalid(macro, name, 'a number of bytes', length)
}

/** The length of a record with data of a given length. */
export function NN_CMSG_SPACE(length: number): number {
  checkLength(length, 'the length', 'NN_CMSG_SPACE')
  return align(length) + HEAD_BYTES
}

/** What its cmsg_len says. */
export function NN_CMSG_LEN(length: number): number {
  checkLength(length, 'the length', 'NN_CMSG_LEN')
  return HEAD_BYTES + length
}

/** A length rounded up to where the next record may begin. */
export function NN_CMSG_ALIGN_(length: number): number {
  checkLength(length, 'the length', 'NN_CMSG_ALIGN_')
  return align(length)
}

/** One record of control data: what it says is read from, and written to, the Buffer that it lies in. */
export class nn_cmsghdr {
  /** @internal */
  readonly offset: number
  readonly #bytes: Uint8Array
  readonly #head: DataView

  /** @internal */
  constructor(control: Uint8Array, offset: number) {
    this.offset = offset
    this.#bytes = control
    this.#head = new DataView(control.buffer, control.byteOffset + offset, HEAD_BYTES)
  }

  get #view(): DataView {
    if (this.#bytes.length < this.offset + HEAD_BYTES) throw memoryFailure('nn_cmsghdr', 'its memory was transferred')
    return this.#head
  }

  /** The length of head and data. */
  get cmsg_len(): number {
    return SIZE_T_BYTES === 4 ? this.#view.getUint32(0, isLittle) : Number(this.#view.getBigUint64(0, isLittle))
  }
  set cmsg_len(length: number) {
    checkLength(length, 'cmsg_len', 'nn_cmsghdr')
    if (SIZE_T_BYTES === 4) this.#view.setUint32(0, length, isLittle)
    else this.#view.setBigUint64(0, BigInt(length), isLittle)
  }

  get cmsg_level(): number {
    return this.#view.getInt32(SIZE_T_BYTES, isLittle)
  }
  set cmsg_level(level: number) {
    checkInt(level, 'cmsg_level', 'nn_cmsghdr')
    this.#view.setInt32(SIZE_T_BYTES, level, isLittle)
  }

  get cmsg_type(): number {
    return this.#view.getInt32(SIZE_T_BYTES + INT_BYTES, isLittle)
  }
  set cmsg_type(type: number) {
    checkInt(type, 'cmsg_type', 'nn_cmsghdr')
    this.#view.setInt32(SIZE_T_BYTES + INT_BYTES, type, isLittle)
  }

  /** @internal The data: as long as cmsg_len says, or to the end of the Buffer while that says nothing. */
  get data(): Buffer {
    const begin = this.offset + HEAD_BYTES
    const end = this.cmsg_len > HEAD_BYTES ? this.offset + this.cmsg_len : this.#bytes.length
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + begin, Math.min(end, this.#bytes.length) - begin)
  }
}

function checkRecord(cmsg: unknown, macro: string): asserts cmsg is nn_cmsghdr {
  if (!isInstance(cmsg, nn_cmsghdr)) throw invalid(macro, 'cmsg', 'what NN_CMSG_FIRSTHDR() has returned', cmsg)
}

/** The bytes of a record's data, to be read or filled. That of SP_HDR is a size_t, the length of the header, and the
 * header. */
export function NN_CMSG_DATA(cmsg: nn_cmsghdr): Buffer {
  checkRecord(cmsg, 'NN_CMSG_DATA')
  return cmsg.data
}

interface Controlled {
  msg_control?: Uint8Array | null | undefined
  msg_controllen?: number | undefined
}

function controlOf(msghdr: Controlled): Uint8Array {
  const { msg_control, msg_controllen } = ownOptions(msghdr ?? {}, 'nn_cmsghdr', 'msghdr')
  if (!isUint8Array(msg_control)) return new Uint8Array(0)
  if (msg_controllen === undefined || msg_controllen === NN_MSG) return msg_control
  return firstBytes(msg_control, msg_controllen, 'nn_cmsghdr')
}

function recordAt(control: Uint8Array, offset: number): nn_cmsghdr | null {
  if (control.length - offset < HEAD_BYTES) return null
  const record = new nn_cmsghdr(control, offset)
  return align(record.cmsg_len) <= control.length - offset ? record : null
}

/** The first record of control data; null when there is none. */
export const NN_CMSG_FIRSTHDR = (msghdr: Controlled): nn_cmsghdr | null => recordAt(controlOf(msghdr), 0)

/** The record behind another one; null when that was the last. */
export function NN_CMSG_NXTHDR(msghdr: Controlled, cmsg: nn_cmsghdr): nn_cmsghdr | null {
  checkRecord(cmsg, 'NN_CMSG_NXTHDR')
  // A record shorter than its head would lead to itself for ever.
  if (cmsg.cmsg_len < HEAD_BYTES) return null
  return recordAt(controlOf(msghdr), cmsg.offset + align(cmsg.cmsg_len))
}

/** What both are made of in C: the first record without another one, or the one behind it. */
export const nn_cmsg_nxthdr_ = (msghdr: Controlled, cmsg: nn_cmsghdr | null): nn_cmsghdr | null =>
  cmsg === null ? NN_CMSG_FIRSTHDR(msghdr) : NN_CMSG_NXTHDR(msghdr, cmsg)

/** What stands behind the last record must not read as one: a head whose record would not fit ends the walk. */
function endRecords(control: Uint8Array, end: number): void {
  if (recordAt(control, end) !== null) new Uint8Array(control.buffer, control.byteOffset + end, HEAD_BYTES).fill(0xff)
}

/** Copies those records that fit as a whole. */
export function copyRecords(from: Uint8Array, to: Uint8Array): void {
  let end = 0
  for (let record = recordAt(from, 0); record !== null; record = NN_CMSG_NXTHDR({ msg_control: from }, record)) {
    if (record.offset + align(record.cmsg_len) > to.length) break
    end = record.offset + align(record.cmsg_len)
  }
  if (end > 0) to.set(from.subarray(0, end))
  endRecords(to, end)
}
