import {
  AF_SP,
  AF_SP_RAW,
  EFSM,
  EINVAL,
  ETERM,
  NN_DOMAIN,
  NN_DONTWAIT,
  NN_IPV4ONLY,
  NN_LINGER,
  NN_MSG,
  NN_PAIR,
  NN_PROTOCOL,
  NN_PUB,
  NN_PULL,
  NN_PUSH,
  NN_RCVFD,
  NN_RCVMAXSIZE,
  NN_REQ,
  NN_REQ_RESEND_IVL,
  NN_SNDBUF,
  NN_SOCKET_NAME,
  NN_SOL_SOCKET,
  NN_STAT_BYTES_SENT,
  NN_STAT_CURRENT_CONNECTIONS,
  NN_STAT_CURRENT_SND_PRIORITY,
  NN_STAT_MESSAGES_RECEIVED,
  NN_SUB,
  NN_SUB_SUBSCRIBE,
  NN_SUB_UNSUBSCRIBE,
  NN_TCP,
  NN_TCP_NODELAY,
  nn_bind,
  nn_close,
  nn_connect,
  nn_endpoint_address,
  nn_errno,
  nn_get_statistic,
  nn_getsockopt,
  nn_recv,
  nn_send,
  nn_setsockopt,
  nn_shutdown,
  nn_socket,
  nn_strerror,
} from 'nanomsg-native/nn'
import { describe, expect, test } from 'vitest'
import { failureOf } from '../api/support.js'
import { bind, bindTcp, codeOf, Sockets, untilStatistic } from './support.js'

describe('a socket', () => {
  test('is a number, which no socket has when it is closed', async () => {
    const s = nn_socket(AF_SP, NN_PAIR)
    expect(Number.isInteger(s) && s >= 0).toBe(true)
    expect(nn_close(s)).toBe(0)
    const calls = [
      () => nn_close(s),
      () => nn_bind(s, 'inproc://closed'),
      () => nn_shutdown(s, 1),
      () => nn_getsockopt(s, NN_SOL_SOCKET, NN_LINGER),
      () => nn_setsockopt(s, NN_SOL_SOCKET, NN_LINGER, 1),
      () => nn_get_statistic(s, NN_STAT_BYTES_SENT),
      () => nn_send(s, 'x'),
      () => nn_recv(s, NN_MSG),
      () => nn_recv(s, NN_MSG, NN_DONTWAIT),
    ]
    for (const call of calls) expect(await codeOf(call)).toBe('EBADF')
  })

  test.each([
    [3, NN_PAIR, 'EAFNOSUPPORT', 'AF_SP'],
    [AF_SP, 12345, 'EINVAL', 'NN_PAIR'],
    ['AF_SP', NN_PAIR, 'EINVAL', 'domain'],
    [AF_SP, undefined, 'EINVAL', 'protocol'],
  ])('is not made of %s and %s', async (domain, protocol, code, hint) => {
    const error = await failureOf(() => nn_socket(domain as number, protocol as number))
    expect(error).toMatchObject({ code, syscall: 'nn_socket' })
    expect(error.message).toContain(hint)
  })

  test('counts', async () => {
    using sockets = new Sockets()
    const [pull, push] = sockets.connected(NN_PULL, NN_PUSH) as [number, number]
    await untilStatistic(pull, NN_STAT_CURRENT_CONNECTIONS, 1)
    await nn_send(push, 'abc')
    await nn_recv(pull, NN_MSG)
    expect(nn_get_statistic(push, NN_STAT_BYTES_SENT)).toBe(3)
    expect(nn_get_statistic(pull, NN_STAT_MESSAGES_RECEIVED)).toBe(1)
    expect(nn_get_statistic(push, NN_STAT_CURRENT_SND_PRIORITY)).toBe(8)
    expect(nn_get_statistic(pull, NN_STAT_CURRENT_SND_PRIORITY)).toBe(0)
    expect(await codeOf(() => nn_get_statistic(pull, 9999))).toBe('EINVAL')
    nn_close(pull)
    await untilStatistic(push, NN_STAT_CURRENT_SND_PRIORITY, -1)
  })
})

describe('an endpoint', () => {
  test('has an id by which it is shut down', async () => {
    using sockets = new Sockets()
    const [pull, push] = [sockets.open(NN_PULL), sockets.open(NN_PUSH)]
    const bound = nn_bind(pull, 'tcp://127.0.0.1:0')
    const address = nn_endpoint_address(pull, bound)
    expect(address).toMatch(/^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/)
    const connected = nn_connect(push, address)
    expect([bound >= 1, connected >= 1]).toEqual([true, true])
    await untilStatistic(pull, NN_STAT_CURRENT_CONNECTIONS, 1)
    expect(nn_shutdown(push, connected)).toBe(0)
    await untilStatistic(pull, NN_STAT_CURRENT_CONNECTIONS, 0)
    const error = await failureOf(() => nn_shutdown(push, connected))
    expect(error).toMatchObject({ code: 'EINVAL', errno: EINVAL, syscall: 'nn_shutdown' })
    expect(await codeOf(() => nn_endpoint_address(push, connected))).toBe('EINVAL')
  })

  test.each([
    ['no address', 'EINVAL'],
    ['tcp://127.0.0.1:99999', 'EINVAL'],
    ['carrier://pigeon', 'EPROTONOSUPPORT'],
    [`inproc://${'x'.repeat(200)}`, 'ENAMETOOLONG'],
    ['inproc://a\0b', 'EINVAL'],
    [5, 'EINVAL'],
    [undefined, 'EINVAL'],
  ])('is not made of %j', async (address, code) => {
    using sockets = new Sockets()
    const s = sockets.open(NN_PAIR)
    const bound = await failureOf(() => nn_bind(s, address as string))
    const connected = await failureOf(() => nn_connect(s, address as string))
    expect(bound).toMatchObject({ code, syscall: 'nn_bind' })
    expect(connected).toMatchObject({ code, syscall: 'nn_connect' })
    expect(bound.message).toMatch(code === 'EINVAL' ? /tcp:\/\// : /Addresses/)
  })

  test('is not bound where another one is', async () => {
    using sockets = new Sockets()
    const address = bindTcp(sockets.open(NN_PAIR))
    const error = await failureOf(() => nn_bind(sockets.open(NN_PAIR), address))
    expect(error.code).toBe('EADDRINUSE')
    expect(error.message).toContain(address)
    expect(nn_errno()).toBe(error.errno)
  })
})

describe('an option', () => {
  test.each([
    ['NN_LINGER', NN_PAIR, NN_SOL_SOCKET, NN_LINGER, -1],
    ['NN_SNDBUF', NN_PAIR, NN_SOL_SOCKET, NN_SNDBUF, 4096],
    ['NN_RCVMAXSIZE', NN_PAIR, NN_SOL_SOCKET, NN_RCVMAXSIZE, -1],
    ['NN_IPV4ONLY', NN_PAIR, NN_SOL_SOCKET, NN_IPV4ONLY, 0],
    ['NN_TCP_NODELAY', NN_PAIR, NN_TCP, NN_TCP_NODELAY, 1],
    ['NN_REQ_RESEND_IVL', NN_REQ, NN_REQ, NN_REQ_RESEND_IVL, 1234],
  ])('is a number: %s', (_, protocol, level, option, value) => {
    using sockets = new Sockets()
    const s = sockets.open(protocol)
    expect(nn_setsockopt(s, level, option, value)).toBe(0)
    expect(nn_getsockopt(s, level, option)).toBe(value)
  })

  test('is a string: NN_SOCKET_NAME', () => {
    using sockets = new Sockets()
    const s = sockets.open(NN_PAIR)
    expect(nn_getsockopt(s, NN_SOL_SOCKET, NN_SOCKET_NAME)).toBe(String(s))
    nn_setsockopt(s, NN_SOL_SOCKET, NN_SOCKET_NAME, 'Überträger')
    expect(nn_getsockopt(s, NN_SOL_SOCKET, NN_SOCKET_NAME)).toBe('Überträger')
    nn_setsockopt(s, NN_SOL_SOCKET, NN_SOCKET_NAME, Buffer.from('a name'), 1)
    expect(nn_getsockopt(s, NN_SOL_SOCKET, NN_SOCKET_NAME)).toBe('a')
  })

  test('is bytes: NN_SUB_SUBSCRIBE', async () => {
    using sockets = new Sockets()
    const [pub, sub] = [sockets.open(NN_PUB), sockets.open(NN_SUB)]
    nn_setsockopt(sub, NN_SUB, NN_SUB_SUBSCRIBE, Buffer.from([0, 255]))
    nn_setsockopt(sub, NN_SUB, NN_SUB_SUBSCRIBE, 'text')
    nn_setsockopt(sub, NN_SUB, NN_SUB_SUBSCRIBE, 'gone')
    nn_setsockopt(sub, NN_SUB, NN_SUB_UNSUBSCRIBE, 'gone')
    nn_connect(sub, bind(pub))
    await untilStatistic(pub, NN_STAT_CURRENT_CONNECTIONS, 1)
    for (const body of ['gone', 'other', Buffer.from([0, 255, 1]), 'text!']) await nn_send(pub, body)
    expect([...(await nn_recv(sub, NN_MSG))]).toEqual([0, 255, 1])
    expect((await nn_recv(sub, NN_MSG)).toString()).toBe('text!')
  })

  test('is copied as far as it fits into a Buffer', () => {
    using sockets = new Sockets()
    const s = sockets.open(NN_PAIR, AF_SP_RAW)
    const bytes = Buffer.alloc(6, 0xff)
    expect(nn_getsockopt(s, NN_SOL_SOCKET, NN_DOMAIN, bytes)).toBe(4)
    expect(new Int32Array(Uint8Array.from(bytes.subarray(0, 4)).buffer)[0]).toBe(AF_SP_RAW)
    nn_setsockopt(s, NN_SOL_SOCKET, NN_SOCKET_NAME, 'abcdefgh')
    expect(nn_getsockopt(s, NN_SOL_SOCKET, NN_SOCKET_NAME, bytes)).toBe(8)
    expect(bytes.toString()).toBe('abcdef')
    nn_setsockopt(s, NN_SOL_SOCKET, NN_LINGER, Buffer.from(new Int32Array([77]).buffer))
    expect(nn_getsockopt(s, NN_SOL_SOCKET, NN_LINGER)).toBe(77)
  })

  test('can be one that is only read', async () => {
    using sockets = new Sockets()
    const s = sockets.open(NN_PULL)
    expect(nn_getsockopt(s, NN_SOL_SOCKET, NN_PROTOCOL)).toBe(NN_PULL)
    expect(nn_getsockopt(s, NN_SOL_SOCKET, NN_RCVFD)).toBeGreaterThan(2)
    expect(await codeOf(() => nn_setsockopt(s, NN_SOL_SOCKET, NN_PROTOCOL, NN_PUSH))).toBe('ENOPROTOOPT')
  })

  test.each([
    ['a fraction', NN_SOL_SOCKET, NN_LINGER, 1.5],
    ['too large a number', NN_SOL_SOCKET, NN_LINGER, 2 ** 31],
    ['a number out of range', NN_SOL_SOCKET, NN_SNDBUF, -1],
    ['four characters instead of a number', NN_SOL_SOCKET, NN_LINGER, '1000'],
    ['three bytes instead of four', NN_SOL_SOCKET, NN_LINGER, Buffer.alloc(3)],
    ['a number instead of a name', NN_SOL_SOCKET, NN_SOCKET_NAME, 5],
    ['too long a name', NN_SOL_SOCKET, NN_SOCKET_NAME, 'x'.repeat(64)],
    ['nothing', NN_SOL_SOCKET, NN_LINGER, undefined],
    ['an object', NN_SOL_SOCKET, NN_LINGER, {}],
  ])('is not set to %s', async (_, level, option, value) => {
    using sockets = new Sockets()
    const s = sockets.open(NN_PAIR)
    const error = await failureOf(() => nn_setsockopt(s, level, option, value as number))
    expect(error).toMatchObject({ code: 'EINVAL', syscall: 'nn_setsockopt' })
  })

  test('of another type does not exist', async () => {
    using sockets = new Sockets()
    const s = sockets.open(NN_PAIR)
    expect(await codeOf(() => nn_setsockopt(s, NN_SUB, NN_SUB_SUBSCRIBE, 'x'))).toBe('ENOPROTOOPT')
    expect(await codeOf(() => nn_getsockopt(s, NN_REQ, NN_REQ_RESEND_IVL))).toBe('ENOPROTOOPT')
    expect(await codeOf(() => nn_setsockopt(s, NN_SOL_SOCKET, NN_SOCKET_NAME, 'abc', 4))).toBe('EFAULT')
    expect(await codeOf(() => nn_setsockopt(s, NN_SOL_SOCKET, NN_LINGER, 1, 8))).toBe('EINVAL')
  })
})

test('errors have texts', async () => {
  expect(nn_strerror(EINVAL)).toBe('Invalid argument')
  expect(nn_strerror(EFSM)).toBe('Operation cannot be performed in this state')
  expect(nn_strerror(ETERM)).toBe('Nanomsg library was terminated')
  expect(nn_strerror(-1)).not.toBe('')
  expect(await codeOf(() => nn_strerror('EINVAL' as never))).toBe('EINVAL')
})
