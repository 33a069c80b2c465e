import {
  AF_SP_RAW,
  NN_CMSG_ALIGN_,
  NN_CMSG_DATA,
  NN_CMSG_FIRSTHDR,
  NN_CMSG_LEN,
  NN_CMSG_NXTHDR,
  NN_CMSG_SPACE,
  NN_DONTWAIT,
  NN_IPC,
  NN_IPC_CREDENTIALS,
  NN_MSG,
  NN_PAIR,
  NN_PULL,
  NN_PUSH,
  NN_REP,
  NN_REQ,
  nn_allocmsg,
  nn_bind,
  nn_cmsg_nxthdr_,
  nn_connect,
  nn_freemsg,
  type nn_msghdr,
  nn_recv,
  nn_recvmsg,
  nn_send,
  nn_sendmsg,
  nn_setsockopt,
  PROTO_SP,
  SP_HDR,
} from 'nanomsg-native/nn'
import { describe, expect, test } from 'vitest'
import { failureOf } from '../api/support.js'
import { codeOf, Sockets } from './support.js'

const piece = (text: string) => ({ iov_base: Buffer.from(text) })

describe('the body of a message', () => {
  test('is put together from pieces, and taken apart', async () => {
    using sockets = new Sockets()
    const [left, right] = sockets.connected(NN_PAIR, NN_PAIR) as [number, number]
    expect(await nn_sendmsg(left, { msg_iov: [piece('Hello'), piece(''), piece(', world')] })).toBe(12)
    const room = [Buffer.alloc(3), Buffer.alloc(20)]
    expect(await nn_recvmsg(right, { msg_iov: room.map((iov_base) => ({ iov_base })) })).toBe(12)
    expect([room[0]!.toString(), room[1]!.toString('latin1', 0, 9)]).toEqual(['Hel', 'lo, world'])
  })

  test('is lost as far as it does not fit, but its length is told', async () => {
    using sockets = new Sockets()
    const [left, right] = sockets.connected(NN_PAIR, NN_PAIR) as [number, number]
    const room = Buffer.alloc(10, '.')
    for (const msg_iov of [[], [{ iov_base: null }], [{ iov_base: room, iov_len: 2 }]]) {
      await nn_send(left, 'abcdef')
      expect(await nn_recvmsg(right, { msg_iov })).toBe(6)
    }
    expect(room.toString()).toBe('ab........')
  })

  test('is as many pieces as msg_iovlen says', async () => {
    using sockets = new Sockets()
    const [left, right] = sockets.connected(NN_PAIR, NN_PAIR) as [number, number]
    expect(await nn_sendmsg(left, { msg_iov: [piece('a'), piece('b')], msg_iovlen: 1 })).toBe(1)
    expect(await nn_sendmsg(left, { msg_iov: [], msg_iovlen: 0 })).toBe(0)
    expect((await nn_recv(right, NN_MSG)).toString()).toBe('a')
  })

  test('can be a message that changes hands', async () => {
    using sockets = new Sockets()
    const [left, right] = sockets.connected(NN_PAIR, NN_PAIR) as [number, number]
    const message = nn_allocmsg(3, 0)
    message.write('abc')
    expect(await nn_sendmsg(left, { msg_iov: [{ iov_base: message, iov_len: NN_MSG }] })).toBe(3)
    expect(message.length).toBe(0)
    const header: nn_msghdr = { msg_iov: [{ iov_base: null, iov_len: NN_MSG }] }
    expect(await nn_recvmsg(right, header)).toBe(3)
    const received = header.msg_iov[0]!.iov_base!
    expect(Buffer.from(received).toString()).toBe('abc')
    expect(nn_freemsg(received)).toBe(0)
  })

  test('waits for its turn among other calls', async () => {
    using sockets = new Sockets()
    const [left, right] = sockets.connected(NN_PAIR, NN_PAIR) as [number, number]
    const room = Buffer.alloc(3)
    const first = nn_recvmsg(right, { msg_iov: [{ iov_base: room }] })
    const second = nn_recv(right, NN_MSG)
    expect(() => nn_recvmsg(right, { msg_iov: [] }, NN_DONTWAIT)).toThrow(/EAGAIN.*nn_recvmsg/)
    await nn_sendmsg(left, { msg_iov: [piece('one')] })
    await nn_send(left, 'two')
    expect([await first, room.toString(), (await second).toString()]).toEqual([3, 'one', 'two'])
  })

  test.each([
    ['no header', null, 'EINVAL'],
    ['no pieces', {}, 'EINVAL'],
    ['a piece that is none', { msg_iov: ['abc'] }, 'EINVAL'],
    ['text', { msg_iov: [{ iov_base: 'abc' }] }, 'EINVAL'],
    ['a piece that is too short', { msg_iov: [{ iov_base: Buffer.alloc(2), iov_len: 3 }] }, 'EFAULT'],
    ['more pieces than there are', { msg_iov: [], msg_iovlen: 1 }, 'EFAULT'],
    ['fewer pieces than none', { msg_iov: [], msg_iovlen: -1 }, 'EMSGSIZE'],
    ['a message among pieces', { msg_iov: [piece('a'), { iov_base: null, iov_len: NN_MSG }] }, 'EINVAL'],
    ['control data that are none', { msg_iov: [], msg_control: 'abc' }, 'EINVAL'],
  ])('is not described by %s', async (_, header, code) => {
    using sockets = new Sockets()
    const [left, right] = sockets.connected(NN_PAIR, NN_PAIR) as [number, number]
    await nn_send(right, 'kept')
    expect(await codeOf(() => nn_sendmsg(left, header as nn_msghdr))).toBe(code)
    expect(await codeOf(() => nn_recvmsg(left, header as nn_msghdr))).toBe(code)
    expect((await nn_recv(left, NN_MSG)).toString()).toBe('kept')
  })

  test('is no Buffer that nn_allocmsg has not made', async () => {
    using sockets = new Sockets()
    const error = await failureOf(() =>
      nn_sendmsg(sockets.open(NN_PAIR), { msg_iov: [{ iov_base: Buffer.alloc(3), iov_len: NN_MSG }] }),
    )
    expect(error).toMatchObject({ code: 'EFAULT', syscall: 'nn_sendmsg' })
  })
})

describe('control data', () => {
  test.each([
    ['in a message', () => ({ msg_control: null, msg_controllen: NN_MSG })],
    ['in a Buffer', () => ({ msg_control: Buffer.alloc(200), msg_controllen: undefined })],
  ])('carry the header that a raw socket has to give back: %s', async (_, room) => {
    using sockets = new Sockets()
    const rep = sockets.open(NN_REP, AF_SP_RAW)
    const req = sockets.open(NN_REQ)
    nn_bind(rep, `inproc://headers-${_}`)
    nn_connect(req, `inproc://headers-${_}`)
    await nn_send(req, 'question')

    const header: nn_msghdr = { msg_iov: [{ iov_base: null, iov_len: NN_MSG }], ...room() }
    await nn_recvmsg(rep, header)
    const record = NN_CMSG_FIRSTHDR(header)!
    expect([record.cmsg_level, record.cmsg_type]).toEqual([PROTO_SP, SP_HDR])
    const data = NN_CMSG_DATA(record)
    const size = Number(data.readBigUint64LE())
    expect(size).toBe(8)
    expect(record.cmsg_len).toBe(NN_CMSG_SPACE(8 + size))
    // A request's id has its highest bit set.
    expect(data[12]! & 0x80).toBe(0x80)

    await nn_sendmsg(rep, { ...header, msg_iov: [piece('answer')] })
    expect((await nn_recv(req, NN_MSG)).toString()).toBe('answer')
    expect(header.msg_control!.length).toBe(header.msg_controllen === NN_MSG ? 0 : 200)
  })

  test('tell whose process sent a message over ipc, when asked', async () => {
    using sockets = new Sockets()
    const pull = sockets.open(NN_PULL)
    nn_setsockopt(pull, NN_IPC, NN_IPC_CREDENTIALS, 1)
    nn_bind(pull, `abstract://credentials-${process.pid}`)
    const push = sockets.open(NN_PUSH)
    nn_connect(push, `abstract://credentials-${process.pid}`)
    await nn_send(push, 'who am I?')

    const header: nn_msghdr = { msg_iov: [], msg_control: Buffer.alloc(200) }
    await nn_recvmsg(pull, header)
    const record = NN_CMSG_NXTHDR(header, NN_CMSG_FIRSTHDR(header)!)!
    expect([record.cmsg_level, record.cmsg_type]).toEqual([NN_IPC, NN_IPC_CREDENTIALS])
    const data = NN_CMSG_DATA(record)
    const credentials = [data.readInt32LE(0), data.readUInt32LE(4), data.readUInt32LE(8)]
    expect(credentials).toEqual([process.pid, process.getuid!(), process.getgid!()])
  })

  test('has no records behind those that were received, whatever stood there', async () => {
    using sockets = new Sockets()
    const [from, to] = sockets.connected(NN_PAIR, NN_PAIR) as [number, number]
    for (let size = 0; size <= 128; size++) {
      const msg_control = Buffer.alloc(128)
      for (let at = 0; at < 128; at += 16) msg_control.set(Buffer.from([16, 0, 0, 0, 0, 0, 0, 0, 77, 0, 0, 0, 88]), at)
      const header = { msg_iov: [{ iov_base: Buffer.alloc(8) }], msg_control, msg_controllen: size }
      await nn_send(from, 'x')
      await nn_recvmsg(to, header)
      const first = NN_CMSG_FIRSTHDR(header)
      expect([size, first?.cmsg_type]).toEqual([size, size < NN_CMSG_SPACE(8) ? undefined : SP_HDR])
      if (first !== null) expect(NN_CMSG_NXTHDR(header, first)).toBe(null)
    }
  })

  test('are records behind each other that can be written', () => {
    const control = Buffer.alloc(NN_CMSG_SPACE(3) + NN_CMSG_SPACE(8))
    const header = { msg_control: control }
    const first = NN_CMSG_FIRSTHDR(header)!
    first.cmsg_len = NN_CMSG_LEN(3)
    first.cmsg_level = -4
    first.cmsg_type = 7
    NN_CMSG_DATA(first).write('abc')
    const second = NN_CMSG_NXTHDR(header, first)!
    second.cmsg_len = NN_CMSG_LEN(8)
    expect(NN_CMSG_NXTHDR(header, second)).toBe(null)
    expect(control.readInt32LE(8)).toBe(-4)
    expect(NN_CMSG_DATA(NN_CMSG_FIRSTHDR(header)!).toString()).toBe('abc')
    expect([NN_CMSG_SPACE(0), NN_CMSG_SPACE(1), NN_CMSG_LEN(1)]).toEqual([16, 24, 17])
  })

  test('that are broken end where they break', () => {
    expect(NN_CMSG_FIRSTHDR({})).toBe(null)
    expect(NN_CMSG_FIRSTHDR({ msg_control: Buffer.alloc(15) })).toBe(null)
    const control = Buffer.alloc(32)
    control.writeBigUInt64LE(2n ** 63n)
    expect(NN_CMSG_FIRSTHDR({ msg_control: control })).toBe(null)
    const empty = NN_CMSG_FIRSTHDR({ msg_control: Buffer.alloc(32) })!
    expect(NN_CMSG_NXTHDR({ msg_control: Buffer.alloc(32) }, empty)).toBe(null)
  })

  test('are told by what they are: nothing else is taken for them', async () => {
    const memory = new Uint8Array(32)
    const header = { msg_control: memory }
    const record = NN_CMSG_FIRSTHDR(header)!
    expect(nn_cmsg_nxthdr_(header, null)).toEqual(record)
    expect(nn_cmsg_nxthdr_(header, record)).toBe(null)
    expect([NN_CMSG_ALIGN_(0), NN_CMSG_ALIGN_(1), NN_CMSG_ALIGN_(16)]).toEqual([0, 8, 16])
    const wrong: (() => unknown)[] = [
      () => NN_CMSG_NXTHDR(header, null as never),
      () => NN_CMSG_DATA({ cmsg_len: 20 } as never),
      () => NN_CMSG_SPACE(-1),
      () => NN_CMSG_LEN('5' as never),
      () => NN_CMSG_ALIGN_(0.5),
      () => Object.assign(record, { cmsg_len: -1 }),
      () => Object.assign(record, { cmsg_level: 2 ** 31 }),
      () => Object.assign(record, { cmsg_type: 5n }),
    ]
    expect(await Promise.all(wrong.map(codeOf))).toEqual(wrong.map(() => 'EINVAL'))
    structuredClone(memory.buffer, { transfer: [memory.buffer] })
    expect(await codeOf(() => record.cmsg_len)).toBe('EFAULT')
    expect(await codeOf(() => NN_CMSG_DATA(record))).toBe('EFAULT')
  })

  test('in memory of nn_allocmsg go with the call, also when it fails', async () => {
    using sockets = new Sockets()
    const control = nn_allocmsg(NN_CMSG_SPACE(8), 0).fill(0)
    const message = nn_allocmsg(1, 0)
    const header = { msg_iov: [{ iov_base: message, iov_len: NN_MSG }], msg_control: control, msg_controllen: NN_MSG }
    expect(await codeOf(() => nn_sendmsg(sockets.open(NN_PAIR), header, NN_DONTWAIT))).toBe('EAGAIN')
    expect([control.length, message.length]).toEqual([0, 1])
  })
})
