import {
  AF_SP_RAW,
  NN_BUS,
  NN_MSG,
  NN_PAIR,
  NN_PULL,
  NN_PUSH,
  NN_RCVTIMEO,
  NN_REP,
  NN_REQ,
  NN_SOL_SOCKET,
  nn_bind,
  nn_close,
  nn_connect,
  nn_device,
  nn_endpoint_address,
  nn_recv,
  nn_send,
  nn_setsockopt,
} from 'nanomsg-native/nn'
import { describe, expect, test } from 'vitest'
import { failureOf, runProgram } from '../api/support.js'
import { bind, bindTcp, codeOf, Sockets } from './support.js'

describe('a device', () => {
  test('passes requests and replies, and ends when a socket is closed', async () => {
    using sockets = new Sockets()
    const [front, back] = [sockets.open(NN_REP, AF_SP_RAW), sockets.open(NN_REQ, AF_SP_RAW)]
    const [req, rep] = [sockets.open(NN_REQ), sockets.open(NN_REP)]
    nn_connect(req, bindTcp(front))
    nn_connect(rep, bindTcp(back))
    const ended = failureOf(() => nn_device(front, back))
    for (const text of ['one', 'two']) {
      await nn_send(req, text)
      expect((await nn_recv(rep, NN_MSG)).toString()).toBe(text)
      await nn_send(rep, text.toUpperCase())
      expect((await nn_recv(req, NN_MSG)).toString()).toBe(text.toUpperCase())
    }
    nn_close(back)
    expect(await ended).toMatchObject({ code: 'EBADF', syscall: 'nn_device' })
  })

  test('passes many messages, and other things happen meanwhile', async () => {
    using sockets = new Sockets()
    const [front, back] = [sockets.open(NN_PULL, AF_SP_RAW), sockets.open(NN_PUSH, AF_SP_RAW)]
    const [push, pull] = [sockets.open(NN_PUSH), sockets.open(NN_PULL)]
    nn_connect(push, bindTcp(front))
    nn_connect(pull, bindTcp(back))
    const ended = failureOf(() => nn_device(front, back))
    const COUNT = 5000
    let timers = 0
    const timer = setInterval(() => timers++, 1)
    void (async () => {
      for (let i = 0; i < COUNT; i++) await nn_send(push, `${i}`.padEnd(500))
    })()
    let inOrder = 0
    for (let i = 0; i < COUNT; i++) {
      if (Number.parseInt((await nn_recv(pull, NN_MSG)).toString(), 10) === i) inOrder++
    }
    clearInterval(timer)
    expect(inOrder).toBe(COUNT)
    expect(timers).toBeGreaterThan(0)
    nn_close(front)
    await ended
  })

  test('sends back what one socket receives', async () => {
    using sockets = new Sockets()
    const loop = sockets.open(NN_PAIR, AF_SP_RAW)
    const pair = sockets.open(NN_PAIR)
    nn_connect(pair, bind(loop))
    const ended = failureOf(() => nn_device(loop, -1))
    await nn_send(pair, 'echo')
    expect((await nn_recv(pair, NN_MSG)).toString()).toBe('echo')
    nn_close(loop)
    await ended
  })

  test('ends when nothing comes for NN_RCVTIMEO', async () => {
    using sockets = new Sockets()
    const [front, back] = [sockets.open(NN_PULL, AF_SP_RAW), sockets.open(NN_PUSH, AF_SP_RAW)]
    nn_setsockopt(front, NN_SOL_SOCKET, NN_RCVTIMEO, 20)
    expect(await codeOf(() => nn_device(front, back))).toBe('ETIMEDOUT')
  })

  test.each([
    ['no sockets', () => [-1, -1], 'EBADF'],
    ['a socket that is not open', (sockets: Sockets) => [sockets.open(NN_PAIR, AF_SP_RAW), 9999], 'EBADF'],
    ['cooked sockets', (sockets: Sockets) => [sockets.open(NN_REQ), sockets.open(NN_REP)], 'EINVAL'],
    [
      'types that do not talk to each other',
      (sockets: Sockets) => [sockets.open(NN_BUS, AF_SP_RAW), sockets.open(NN_PUSH, AF_SP_RAW)],
      'EINVAL',
    ],
    ['something else', () => ['front', {}], 'EINVAL'],
  ])('is not made of %s', async (_, choose, code) => {
    using sockets = new Sockets()
    const [s1, s2] = choose(sockets) as [number, number]
    expect(await codeOf(() => nn_device(s1, s2))).toBe(code)
  })

  test('does not keep a process or a worker from ending', async () => {
    const device = `
      const nn = require('nanomsg-native/nn')
      const front = nn.nn_socket(nn.AF_SP_RAW, nn.NN_PULL), back = nn.nn_socket(nn.AF_SP_RAW, nn.NN_PUSH)
      nn.nn_device(front, back).catch(() => {})`
    const { exitCode, stdout, stderr } = await runProgram(`
      const { Worker } = require('node:worker_threads')
      new Worker(\`${device}; setTimeout(() => process.exit(), 1)\`, { eval: true }).on('exit', () => {
        console.log('the worker has ended')
        ${device.replace('const nn', 'var nn')}
        setTimeout(() => process.exit(), 1)
      })`)
    expect([exitCode, stdout, stderr]).toEqual([0, 'the worker has ended\n', ''])
  })
})

test('a device passes on to any peer that is connected where its socket is bound', async () => {
  using sockets = new Sockets()
  const [front, back] = [sockets.open(NN_PULL, AF_SP_RAW), sockets.open(NN_PUSH, AF_SP_RAW)]
  const [push, pull] = [sockets.open(NN_PUSH), sockets.open(NN_PULL)]
  nn_connect(push, bind(front))
  const ended = failureOf(() => nn_device(front, back))
  await nn_send(push, 'before anybody listens')
  nn_connect(pull, nn_endpoint_address(back, nn_bind(back, 'tcp://127.0.0.1:0')))
  expect((await nn_recv(pull, NN_MSG)).toString()).toBe('before anybody listens')
  nn_close(front)
  await ended
})
