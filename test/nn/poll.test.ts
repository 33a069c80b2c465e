import {
  NN_DONTWAIT,
  NN_MSG,
  NN_PAIR,
  NN_POLLIN,
  NN_POLLOUT,
  NN_PUB,
  NN_PULL,
  NN_PUSH,
  NN_SUB,
  nn_close,
  nn_connect,
  nn_poll,
  nn_recv,
  nn_send,
} from 'nanomsg-native/nn'
import { describe, expect, test } from 'vitest'
import { failureOf, turn } from '../api/support.js'
import { bind, codeOf, Sockets } from './support.js'

describe('nn_poll', () => {
  test('tells what is ready now', async () => {
    using sockets = new Sockets()
    const [left, right] = sockets.connected(NN_PAIR, NN_PAIR) as [number, number]
    await nn_send(left, 'x')
    const fds = [
      { fd: left, events: NN_POLLIN | NN_POLLOUT, revents: 0 },
      { fd: right, events: NN_POLLIN | NN_POLLOUT, revents: 0 },
      { fd: sockets.open(NN_PULL), events: NN_POLLIN, revents: 9 },
      { fd: -5, events: 0, revents: 9 },
    ]
    expect(await nn_poll(fds, 4, 1000)).toBe(2)
    expect(fds.map(({ revents }) => revents)).toEqual([NN_POLLOUT, NN_POLLIN | NN_POLLOUT, 0, 0])
  })

  test('waits for a message, which it leaves to nn_recv', async () => {
    using sockets = new Sockets()
    const [pull, push] = sockets.connected(NN_PULL, NN_PUSH) as [number, number]
    const other = sockets.open(NN_PULL)
    const fds = [
      { fd: other, events: NN_POLLIN, revents: 0 },
      { fd: pull, events: NN_POLLIN, revents: 0 },
    ]
    const polling = nn_poll(fds)
    await turn()
    await nn_send(push, 'x')
    expect(await polling).toBe(1)
    expect(fds.map(({ revents }) => revents)).toEqual([0, NN_POLLIN])
    expect(nn_recv(pull, NN_MSG, NN_DONTWAIT).toString()).toBe('x')
  })

  test('waits for a peer', async () => {
    using sockets = new Sockets()
    const push = sockets.open(NN_PUSH)
    const polling = nn_poll([{ fd: push, events: NN_POLLOUT }])
    await turn()
    nn_connect(push, bind(sockets.open(NN_PULL)))
    expect(await polling).toBe(1)
  })

  test('goes with others and with nn_recv at the same socket', async () => {
    using sockets = new Sockets()
    const [pull, push] = sockets.connected(NN_PULL, NN_PUSH) as [number, number]
    const asked = () => [{ fd: pull, events: NN_POLLIN }]
    const polls = [nn_poll(asked()), nn_poll([...asked(), ...asked()])]
    const received = nn_recv(pull, NN_MSG)
    await nn_send(push, 'first')
    await nn_send(push, 'second')
    expect(await Promise.all(polls)).toEqual([1, 2])
    expect((await received).toString()).toBe('first')
  })

  test('gives up after its timeout, and leaves revents', async () => {
    using sockets = new Sockets()
    const fds = [{ fd: sockets.open(NN_PULL), events: NN_POLLIN, revents: 7 }]
    expect(await nn_poll(fds, 1, 0)).toBe(0)
    expect(await nn_poll(fds, 1, 10)).toBe(0)
    expect(await nn_poll([], 0, 10)).toBe(0)
    expect(fds[0]!.revents).toBe(7)
  })

  test('fails when a socket is closed meanwhile', async () => {
    using sockets = new Sockets()
    const pull = sockets.open(NN_PULL)
    const polling = failureOf(() => nn_poll([{ fd: pull, events: NN_POLLIN }]))
    await turn()
    nn_close(pull)
    expect(await polling).toMatchObject({ code: 'EBADF', syscall: 'nn_poll' })
  })

  test('looks at as many entries as it is told', async () => {
    using sockets = new Sockets()
    const pair = sockets.open(NN_PAIR)
    expect(
      await nn_poll(
        [
          { fd: pair, events: NN_POLLIN },
          { fd: 9999, events: NN_POLLIN },
        ],
        1,
        0,
      ),
    ).toBe(0)
  })

  test.each([
    ['a socket that is not open', () => [[{ fd: 9999, events: NN_POLLIN }]], 'EBADF'],
    ['a list of nothing', () => [[null]], 'EINVAL'],
    ['no list', () => ['fds'], 'EINVAL'],
    ['a wrong descriptor', () => [[{ fd: 'x', events: 1 }]], 'EINVAL'],
    ['wrong events', () => [[{ fd: 1, events: 1.5 }]], 'EINVAL'],
    ['more entries than there are', () => [[], 1], 'EFAULT'],
    ['fewer entries than none', () => [[], -1], 'EINVAL'],
    ['a timeout that is no number', () => [[], 0, 'x'], 'EINVAL'],
  ])('refuses %s', async (_, args, code) => {
    expect(await codeOf(() => nn_poll(...(args() as Parameters<typeof nn_poll>)))).toBe(code)
  })

  test('refuses what a type can never do', async () => {
    using sockets = new Sockets()
    expect(await codeOf(() => nn_poll([{ fd: sockets.open(NN_PUB), events: NN_POLLIN }]))).toBe('ENOPROTOOPT')
    expect(await codeOf(() => nn_poll([{ fd: sockets.open(NN_SUB), events: NN_POLLOUT }]))).toBe('ENOPROTOOPT')
  })
})
