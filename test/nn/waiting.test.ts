import {
  EAGAIN,
  EBADF,
  NN_DONTWAIT,
  NN_MSG,
  NN_PAIR,
  NN_PULL,
  NN_PUSH,
  NN_RCVTIMEO,
  NN_REP,
  NN_REQ,
  NN_SNDTIMEO,
  NN_SOL_SOCKET,
  NN_SURVEYOR,
  NN_SURVEYOR_DEADLINE,
  nn_close,
  nn_connect,
  nn_errno,
  nn_recv,
  nn_send,
  nn_setsockopt,
} from 'nanomsg-native/nn'
import { describe, expect, test } from 'vitest'
import { failureOf, runProgram, turn, until } from '../api/support.js'
import { bind, codeOf, Sockets } from './support.js'

describe('with NN_DONTWAIT', () => {
  test('the answer comes at once', async () => {
    using sockets = new Sockets()
    const [left, right] = sockets.connected(NN_PAIR, NN_PAIR) as [number, number]
    const buffer = Buffer.alloc(5)
    await nn_send(left, 'ready')
    await nn_send(left, 'steady')
    expect(nn_recv(right, buffer, 5, NN_DONTWAIT)).toBe(5)
    expect(nn_recv(right, NN_MSG, NN_DONTWAIT).toString()).toBe('steady')
    expect(nn_send(right, 'go', 2, NN_DONTWAIT)).toBe(2)
  })

  test('what would have to wait throws EAGAIN, and so says nn_errno', async () => {
    using sockets = new Sockets()
    const pair = sockets.open(NN_PAIR)
    expect(() => nn_recv(pair, NN_MSG, NN_DONTWAIT)).toThrow(/EAGAIN.*nn_recv.*no message/)
    expect(nn_errno()).toBe(EAGAIN)
    expect(() => nn_send(pair, 'x', 1, NN_DONTWAIT)).toThrow(/EAGAIN.*nn_send.*peer/)
  })

  test('other bits of the flags mean nothing', async () => {
    using sockets = new Sockets()
    const pair = sockets.open(NN_PAIR)
    expect(() => nn_recv(pair, NN_MSG, (NN_DONTWAIT | 0x70) as 1)).toThrow(/EAGAIN/)
    nn_setsockopt(pair, NN_SOL_SOCKET, NN_RCVTIMEO, 0)
    expect(await codeOf(() => nn_recv(pair, NN_MSG, 0x70 as 0))).toBe('ETIMEDOUT')
  })
})

describe('without NN_DONTWAIT', () => {
  test('a call waits for a message, and calls get messages in their order', async () => {
    using sockets = new Sockets()
    const [left, right] = sockets.connected(NN_PAIR, NN_PAIR) as [number, number]
    const buffer = Buffer.alloc(3)
    const first = nn_recv(right, NN_MSG)
    const second = nn_recv(right, buffer)
    const third = nn_recv(right, NN_MSG)
    for (const text of ['one', 'two', 'three']) await nn_send(left, text)
    expect([(await first).toString(), await second, buffer.toString(), (await third).toString()]).toEqual([
      'one',
      3,
      'two',
      'three',
    ])
  })

  test('a call waits for a peer', async () => {
    using sockets = new Sockets()
    const push = sockets.open(NN_PUSH)
    const sent: string[] = []
    const sending = ['a', 'b'].map((text) => nn_send(push, text).then(() => sent.push(text)))
    await turn()
    expect(sent).toEqual([])
    const pull = sockets.open(NN_PULL)
    nn_connect(push, bind(pull))
    await Promise.all(sending)
    expect([(await nn_recv(pull, NN_MSG)).toString(), (await nn_recv(pull, NN_MSG)).toString()]).toEqual(['a', 'b'])
  })

  test('a call gives up when NN_RCVTIMEO or NN_SNDTIMEO is over', async () => {
    using sockets = new Sockets()
    const pair = sockets.open(NN_PAIR)
    nn_setsockopt(pair, NN_SOL_SOCKET, NN_RCVTIMEO, 10)
    nn_setsockopt(pair, NN_SOL_SOCKET, NN_SNDTIMEO, 0)
    const received = await failureOf(() => nn_recv(pair, NN_MSG))
    expect(received).toMatchObject({ code: 'ETIMEDOUT', syscall: 'nn_recv' })
    expect(nn_errno()).toBe(received.errno)
    expect(await failureOf(() => nn_send(pair, 'x'))).toMatchObject({ code: 'ETIMEDOUT', syscall: 'nn_send' })
  })

  test('a survey ends by ETIMEDOUT at its deadline', async () => {
    using sockets = new Sockets()
    const surveyor = sockets.open(NN_SURVEYOR)
    nn_setsockopt(surveyor, NN_SURVEYOR, NN_SURVEYOR_DEADLINE, 20)
    await nn_send(surveyor, 'anybody?')
    expect(await codeOf(() => nn_recv(surveyor, NN_MSG))).toBe('ETIMEDOUT')
    expect(await codeOf(() => nn_recv(surveyor, NN_MSG))).toBe('EFSM')
  })

  test('a request gets its reply', async () => {
    using sockets = new Sockets()
    const [rep, req] = sockets.connected(NN_REP, NN_REQ) as [number, number]
    const requested = nn_recv(rep, NN_MSG)
    await nn_send(req, 'ping')
    const replied = nn_recv(req, NN_MSG)
    await nn_send(rep, await requested, NN_MSG)
    expect((await replied).toString()).toBe('ping')
    expect(await codeOf(() => nn_send(rep, 'again'))).toBe('EFSM')
  })

  test('nn_close ends the calls that wait with EBADF', async () => {
    using sockets = new Sockets()
    const pair = sockets.open(NN_PAIR)
    const calls = [failureOf(() => nn_recv(pair, NN_MSG)), failureOf(() => nn_send(pair, 'x'))]
    expect(nn_close(pair)).toBe(0)
    expect((await Promise.all(calls)).map((error) => [error.code, error.syscall])).toEqual([
      ['EBADF', 'nn_recv'],
      ['EBADF', 'nn_send'],
    ])
    expect(nn_errno()).toBe(EBADF)
  })

  test('messages that are there do not keep timers from running', async () => {
    using sockets = new Sockets()
    const [left, right] = sockets.connected(NN_PAIR, NN_PAIR) as [number, number]
    let isOver = false
    setTimeout(() => {
      isOver = true
    }, 5)
    await Promise.all([
      (async () => {
        while (!isOver) await nn_send(left, 'x')
        await nn_send(left, 'end')
      })(),
      (async () => {
        while ((await nn_recv(right, NN_MSG)).toString() !== 'end');
      })(),
    ])
  })
})

describe('a process', () => {
  test('lives as long as a call waits', async () => {
    const { exitCode, stdout } = await runProgram(`
      const nn = require('nanomsg-native/nn')
      const s = nn.nn_socket(nn.AF_SP, nn.NN_PULL)
      nn.nn_setsockopt(s, nn.NN_SOL_SOCKET, nn.NN_RCVTIMEO, 100)
      nn.nn_recv(s, nn.NN_MSG).catch((error) => console.log(error.code))`)
    expect([exitCode, stdout]).toEqual([0, 'ETIMEDOUT\n'])
  })

  test('ends although sockets are open, and delivers what was accepted', async () => {
    using sockets = new Sockets()
    const pull = sockets.open(NN_PULL)
    const { nn_bind, nn_endpoint_address } = await import('nanomsg-native/nn')
    const address = nn_endpoint_address(pull, nn_bind(pull, 'tcp://127.0.0.1:0'))
    const body = 300_000
    const ending = runProgram(`
      const nn = require('nanomsg-native/nn')
      const s = nn.nn_socket(nn.AF_SP, nn.NN_PUSH)
      nn.nn_connect(s, '${address}')
      nn.nn_send(s, Buffer.alloc(${body}, 1)).then(() => nn.nn_close(s))`)
    expect((await nn_recv(pull, NN_MSG)).length).toBe(body)
    expect((await ending).exitCode).toBe(0)
  })

  test('that calls nn_term fails all calls that wait, and opens no more sockets', async () => {
    const { exitCode, stdout, stderr } = await runProgram(`
      const nn = require('nanomsg-native/nn')
      const { Pull, Push } = require('nanomsg-native')
      const s = nn.nn_socket(nn.AF_SP, nn.NN_PAIR)
      const pull = new Pull(), push = new Push()
      const calls = [
        nn.nn_recv(s, nn.NN_MSG), nn.nn_send(s, 'x'), nn.nn_poll([{ fd: s, events: nn.NN_POLLIN }]),
        pull.receive(), push.send('x'),
      ]
      nn.nn_term()
      Promise.allSettled(calls).then(async (results) => {
        console.log(results.map(({ reason }) => reason.code).join())
        try { nn.nn_socket(nn.AF_SP, nn.NN_PAIR) } catch (error) { console.log(error.code) }
        try { new Pull() } catch (error) { console.log(error.code) }
        await pull.close()
        await push.close()
        setTimeout(() => console.log('alive'), 20)
      })`)
    expect([exitCode, stdout, stderr]).toEqual([0, 'EBADF,EBADF,EBADF,EBADF,EBADF\nETERM\nETERM\nalive\n', ''])
  })

  test('that opens a socket in one thread can use it in another, but waits for it in its own', async () => {
    const { exitCode, stdout } = await runProgram(`
      const nn = require('nanomsg-native/nn')
      const { Worker, isMainThread, workerData } = require('node:worker_threads')
      const text = \`
        const nn = require('nanomsg-native/nn')
        const { workerData: s, parentPort } = require('node:worker_threads')
        nn.nn_send(s, 'from a worker', undefined, nn.NN_DONTWAIT)
        nn.nn_recv(s, nn.NN_MSG).catch((error) => parentPort.postMessage(error.code))
      \`
      const s = nn.nn_socket(nn.AF_SP, nn.NN_PAIR), peer = nn.nn_socket(nn.AF_SP, nn.NN_PAIR)
      nn.nn_bind(s, 'inproc://threads')
      nn.nn_connect(peer, 'inproc://threads')
      new Worker(text, { eval: true, workerData: s }).on('message', console.log)
      nn.nn_recv(peer, nn.NN_MSG).then((message) => console.log(message.toString()))`)
    expect([exitCode, stdout.split('\n').sort()]).toEqual([0, ['', 'ENOTSUP', 'from a worker']])
  })
})

test('a call that waits is woken by a peer that comes later', async () => {
  using sockets = new Sockets()
  const pull = sockets.open(NN_PULL)
  let received = ''
  void nn_recv(pull, NN_MSG).then((message) => {
    received = message.toString()
  })
  const push = sockets.open(NN_PUSH)
  nn_connect(push, bind(pull))
  await nn_send(push, 'late')
  await until(() => received !== '')
  expect(received).toBe('late')
})
