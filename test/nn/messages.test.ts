import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  EFAULT,
  NN_DONTWAIT,
  NN_MSG,
  NN_PAIR,
  NN_PULL,
  NN_PUSH,
  nn_allocmsg,
  nn_connect,
  nn_errno,
  nn_freemsg,
  nn_reallocmsg,
  nn_recv,
  nn_send,
} from 'nanomsg-native/nn'
import { describe, expect, test } from 'vitest'
import { failureOf, runProgram, until } from '../api/support.js'
import { bindTcp, codeOf, Sockets } from './support.js'

describe('a message of nn_allocmsg', () => {
  test('goes from one socket to another and is freed', async () => {
    using sockets = new Sockets()
    const [left, right] = sockets.connected(NN_PAIR, NN_PAIR) as [number, number]

    const message = nn_allocmsg(12, 0)
    message.write('Hello world!')
    expect(await nn_send(left, message, NN_MSG, 0)).toBe(12)
    const received = await nn_recv(right, NN_MSG, 0)
    expect(received.toString()).toBe('Hello world!')
    expect(nn_freemsg(received)).toBe(0)
  })

  test('has no bytes any more when it is sent: its memory belongs to the library', async () => {
    using sockets = new Sockets()
    const [left] = sockets.connected(NN_PAIR, NN_PAIR) as [number, number]
    const message = nn_allocmsg(100, 0)
    const view = new DataView(message.buffer)
    await nn_send(left, message, NN_MSG)
    expect([message.length, message.buffer.byteLength]).toEqual([0, 0])
    expect(() => view.getInt8(0)).toThrow(TypeError)
    expect(await codeOf(() => nn_send(left, message, NN_MSG))).toBe('EFAULT')
    expect(await codeOf(() => nn_freemsg(message))).toBe('EFAULT')
  })

  test('stays with the caller when sending fails', async () => {
    using sockets = new Sockets()
    const message = nn_allocmsg(3, 0)
    message.write('abc')
    expect(await codeOf(() => nn_send(sockets.open(NN_PUSH), message, NN_MSG, NN_DONTWAIT))).toBe('EAGAIN')
    expect(await codeOf(() => nn_send(sockets.open(NN_PULL), message, NN_MSG))).toBe('ENOTSUP')
    expect(await codeOf(() => nn_send(12345, message, NN_MSG))).toBe('EBADF')
    expect(message.toString()).toBe('abc')
    nn_freemsg(message)
  })

  test('can be sent on as it was received, over tcp too', async () => {
    using sockets = new Sockets()
    const push = sockets.open(NN_PUSH)
    const pull = sockets.open(NN_PULL)
    nn_connect(push, bindTcp(pull))
    for (const length of [0, 1, 1000, 100_000]) {
      await nn_send(push, Buffer.alloc(length, 7))
      const first = await nn_recv(pull, NN_MSG)
      expect(first.length).toBe(length)
      expect(await nn_send(push, first, NN_MSG)).toBe(length)
      const second = await nn_recv(pull, NN_MSG)
      expect(second.equals(Buffer.alloc(length, 7))).toBe(true)
      nn_freemsg(second)
    }
  })

  test('can be empty', async () => {
    using sockets = new Sockets()
    const [left, right] = sockets.connected(NN_PAIR, NN_PAIR) as [number, number]
    const message = nn_allocmsg(0, 0)
    expect(message.length).toBe(0)
    expect(await nn_send(left, message, NN_MSG)).toBe(0)
    expect(await codeOf(() => nn_freemsg(message))).toBe('EFAULT')
    nn_freemsg(await nn_recv(right, NN_MSG))
  })

  test('keeps its bytes when its length is changed, and the old Buffer has none', () => {
    const short = nn_allocmsg(3, 0)
    short.write('abc')
    const long = nn_reallocmsg(short, 10_000)
    expect([short.length, long.length, long.toString('latin1', 0, 3)]).toEqual([0, 10_000, 'abc'])
    const shorter = nn_reallocmsg(long, 2)
    expect(shorter.toString()).toBe('ab')
    const empty = nn_reallocmsg(shorter, 0)
    expect(empty.length).toBe(0)
    const again = nn_reallocmsg(empty, 1)
    expect(again.length).toBe(1)
    nn_freemsg(again)
  })

  test('is known by all of its bytes: other Buffers and parts of it are none', async () => {
    using sockets = new Sockets()
    const [left] = sockets.connected(NN_PAIR, NN_PAIR) as [number, number]
    const message = nn_allocmsg(10, 0)
    for (const wrong of [Buffer.alloc(10), message.subarray(1), message.subarray(0, 9), new Uint8Array(0)]) {
      expect(await codeOf(() => nn_send(left, wrong, NN_MSG))).toBe('EFAULT')
      expect(await codeOf(() => nn_freemsg(wrong))).toBe('EFAULT')
      expect(await codeOf(() => nn_reallocmsg(wrong, 5))).toBe('EFAULT')
    }
    const error = await failureOf(() => nn_freemsg(null as never))
    expect(error.message).toContain('nn_allocmsg')
    expect([error.errno, nn_errno()]).toEqual([EFAULT, EFAULT])
    expect(nn_freemsg(new Uint8Array(message.buffer))).toBe(0)
  })

  test('that waits to be sent may be freed meanwhile: then it is not sent', async () => {
    using sockets = new Sockets()
    const push = sockets.open(NN_PUSH)
    const message = nn_allocmsg(10, 0)
    const sending = failureOf(() => nn_send(push, message, NN_MSG))
    nn_freemsg(message)
    const pull = sockets.open(NN_PULL)
    nn_connect(push, bindTcp(pull))
    expect((await sending).code).toBe('EFAULT')
  })

  test.each([
    [-1, 0, 'EINVAL'],
    [1.5, 0, 'EINVAL'],
    [Number.NaN, 0, 'EINVAL'],
    [2 ** 53, 0, 'ENOMEM'],
    [12, 1, 'EINVAL'],
  ])('is not made of size %d and type %d', async (size, type, code) => {
    expect(await codeOf(() => nn_allocmsg(size, type))).toBe(code)
  })

  test('is freed when no value refers to it any more', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nn-heap-'))
    const heap = join(folder, 'heap_in_use.node')
    execFileSync('cc', ['-shared', '-fPIC', '-o', heap, join(__dirname, '..', 'workers', 'heap_in_use.c')])
    const { stdout, exitCode } = await runProgram(
      `const nn = require('nanomsg-native/nn')
      const heapInUse = require(${JSON.stringify(heap)})
      const settle = async () => { for (let i = 0; i < 5; i++) { gc(); await new Promise((done) => setImmediate(done)) } }
      // Not what stays resident: malloc keeps pages when some other memory lies behind them.
      const used = async () => { await settle(); return heapInUse() / 2 ** 20 }
      const round = async () => {
        for (let i = 0; i < 100; i++) nn.nn_allocmsg(1 << 20, 0).fill(1)
        const message = nn.nn_allocmsg(1 << 20, 0).fill(1)
        nn.nn_freemsg(message)
        return used()
      }
      ;(async () => {
        await round()
        const before = await round()
        const after = await round()
        console.log(after - before < 50)
      })()`,
      { args: ['--expose-gc'] },
    )
    rmSync(folder, { recursive: true })
    expect([exitCode, stdout]).toEqual([0, 'true\n'])
  })
})

describe('a Buffer', () => {
  test('gets a message, as far as it fits, and the call tells the full length', async () => {
    using sockets = new Sockets()
    const [left, right] = sockets.connected(NN_PAIR, NN_PAIR) as [number, number]
    const buffer = Buffer.alloc(6, '.')
    for (const [length, expected] of [
      [undefined, 'abcdef'],
      [3, 'abc...'],
      [0, '......'],
    ] as const) {
      buffer.fill('.')
      await nn_send(left, 'abcdefgh')
      expect(await nn_recv(right, buffer, length)).toBe(8)
      expect(buffer.toString()).toBe(expected)
    }
    await nn_send(left, 'ab')
    expect(await nn_recv(right, null)).toBe(2)
  })

  test('is sent up to the length that is given', async () => {
    using sockets = new Sockets()
    const [left, right] = sockets.connected(NN_PAIR, NN_PAIR) as [number, number]
    const sent = Buffer.from('xabcdefgh').subarray(1)
    expect(await nn_send(left, sent, 3, 0)).toBe(3)
    expect(await nn_send(left, sent, 0, 0)).toBe(0)
    expect(await nn_send(left, null, 0)).toBe(0)
    expect(await nn_send(left, 'ä€')).toBe(5)
    const received: string[] = []
    for (let i = 0; i < 4; i++) received.push((await nn_recv(right, NN_MSG)).toString())
    expect(received).toEqual(['abc', '', '', 'ä€'])
  })

  test.each([
    ['a length beyond its end', () => [Buffer.alloc(3), 4], 'EFAULT'],
    ['a negative length', () => [Buffer.alloc(3), -2], 'EFAULT'],
    ['no bytes of a length', () => [null, 1], 'EFAULT'],
    ['a number', () => [5], 'EINVAL'],
    ['a list', () => [[1, 2]], 'EINVAL'],
    ['a Buffer whose memory was transferred', () => [transferred()], 'EINVAL'],
  ] as const)('is neither sent nor filled: %s', async (_, args, code) => {
    using sockets = new Sockets()
    const [left, right] = sockets.connected(NN_PAIR, NN_PAIR) as [number, number]
    await nn_send(right, 'x')
    const [buffer, length] = args() as [Buffer, number?]
    expect(await codeOf(() => nn_send(left, buffer, length))).toBe(code)
    expect(await codeOf(() => nn_recv(left, buffer, length))).toBe(code)
    expect((await nn_recv(left, NN_MSG)).toString()).toBe('x')
  })

  test('whose memory is transferred while a call waits fails the call, and no message is lost', async () => {
    using sockets = new Sockets()
    const [left, right] = sockets.connected(NN_PAIR, NN_PAIR) as [number, number]
    const buffer = Buffer.from(new ArrayBuffer(8))
    const receiving = failureOf(() => nn_recv(left, buffer))
    const following = nn_recv(left, NN_MSG)
    structuredClone(buffer.buffer, { transfer: [buffer.buffer as ArrayBuffer] })
    await nn_send(right, 'kept')
    expect((await receiving).code).toBe('EFAULT')
    expect((await following).toString()).toBe('kept')
  })
})

function transferred(): Buffer {
  const buffer = Buffer.from(new ArrayBuffer(8))
  structuredClone(buffer.buffer, { transfer: [buffer.buffer as ArrayBuffer] })
  return buffer
}

test('nothing is lost of many messages that change hands', async () => {
  using sockets = new Sockets()
  const [push, pull] = [sockets.open(NN_PUSH), sockets.open(NN_PULL)]
  nn_connect(push, bindTcp(pull))
  const COUNT = 3000
  let seen = 0
  void (async () => {
    for (let i = 0; i < COUNT; i++) {
      const message = nn_allocmsg(4 + (i % 2000), 0)
      message.writeInt32LE(i)
      await nn_send(push, message, NN_MSG)
    }
  })()
  for (let i = 0; i < COUNT; i++) {
    const message = await nn_recv(pull, NN_MSG)
    if (message.readInt32LE() === i && message.length === 4 + (i % 2000)) seen++
    nn_freemsg(message)
  }
  expect(seen).toBe(COUNT)
  await until(() => true)
})
