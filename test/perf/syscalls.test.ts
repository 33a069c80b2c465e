/** System calls per message: what makes the hot path fast, and what a change loses without noticing. */
import { expect, test } from 'vitest'
import { countCalls, describeWithStrace, sum } from './strace.js'

/** Each call that a socket's messages can take. */
const SENDING = ['sendmsg', 'sendto', 'write', 'writev']
const RECEIVING = ['readv', 'read', 'recvmsg', 'recvfrom']

const connected = (address: string) => `
  const pull = new Pull(), push = new Push()
  push.connect(pull.bind('${address}').address)
  await push.send('first')
  await pull.receive()
`

/** Sends messages of 64 bytes as a program does, and receives all. */
const burst = (count: number) => `
  const body = Buffer.alloc(64, 'b')
  const sending = (async () => { for (let i = 0; i < ${count}; i++) await push.send(body) })()
  let received = 0
  for await (const messages of pull.batches()) {
    received += messages.length
    if (received === ${count}) break
  }
  await sending
`

const roundTrips = (count: number) => `
  const serving = (async () => { for await (const request of rep) await rep.send(request) })()
  for (let i = 0; i < ${count}; i++) {
    await req.send('question')
    await req.receive()
  }
`

const talking = (address: string) => `
  const rep = new Rep(), req = new Req()
  req.connect(rep.bind('${address}').address)
`

describeWithStrace('system calls per message', () => {
  test.each(['tcp://127.0.0.1:0', 'ws://127.0.0.1:0/path'])(
    '%s: a burst leaves and arrives in few calls',
    (address) => {
      const calls = countCalls(`${connected(address)} mark(); ${burst(20_000)} mark()`)
      // 64 KiB hold 900 messages of 72 bytes or more; a call for 100 allows for what the kernel does not take at once.
      expect(sum(calls, ...SENDING)).toBeLessThan(200)
      expect(sum(calls, ...RECEIVING)).toBeLessThan(200)
      expect(sum(calls, 'epoll_wait', 'epoll_pwait')).toBeLessThan(400)
      expect(sum(calls, 'epoll_ctl')).toBeLessThan(200)
    },
  )

  test('a batch that is the first of a tick leaves in one call', () => {
    const calls = countCalls(`
      ${connected('tcp://127.0.0.1:0')}
      mark()
      for (let i = 0; i < 100; i++) {
        await push.sendBatch(Array(20).fill('message'))
        for (let received = 0; received < 20; received++) await pull.receive()
      }
      mark()`)
    expect(sum(calls, ...SENDING)).toBeLessThan(100 * 1.1)
  })

  test('a round trip takes one call to send and one to receive on either side, and no change of the poller', () => {
    const trips = 1000
    const calls = countCalls(`${talking('tcp://127.0.0.1:0')} mark(); ${roundTrips(trips)} mark()`)
    // Twice: both sides are in this process. Some more are the end of one turn and the start of the next.
    expect(sum(calls, ...SENDING)).toBeLessThan(2 * trips * 1.1)
    expect(sum(calls, ...RECEIVING)).toBeLessThan(2 * trips * 1.1)
    expect(sum(calls, 'epoll_wait', 'epoll_pwait')).toBeLessThan(2 * 2 * trips * 1.1)
    expect(sum(calls, 'epoll_ctl')).toBeLessThan(trips * 0.1)
  })

  test('inproc within a thread takes none', () => {
    const calls = countCalls(`${connected('inproc://calls')} mark(); ${burst(20_000)} mark()`)
    expect(sum(calls, ...SENDING, ...RECEIVING)).toBeLessThan(200)
  })

  test('many requests side by side leave together', () => {
    const calls = countCalls(`
      ${talking('tcp://127.0.0.1:0')}
      void rep.serve((body) => body, { concurrency: 10_000 })
      await req.request('first')
      mark()
      await Promise.all(Array.from({ length: 5000 }, () => req.request('question')))
      mark()`)
    expect(sum(calls, ...SENDING)).toBeLessThan(500)
    expect(sum(calls, ...RECEIVING)).toBeLessThan(500)
  })

  test('messages of many sockets that are sent in turn leave in one call for each socket', () => {
    const calls = countCalls(`
      const pull = new Pull()
      const { address } = pull.bind('tcp://127.0.0.1:0')
      const pushes = Array.from({ length: 20 }, () => new Push())
      for (const push of pushes) {
        push.connect(address)
        await push.send('first')
        await pull.receive()
      }
      mark()
      for (let i = 0; i < 50; i++) for (const push of pushes) void push.send('message')
      for (let i = 0; i < 50 * pushes.length; i++) await pull.receive()
      mark()`)
    // The first of a tick leaves at once.
    expect(sum(calls, ...SENDING)).toBeLessThan(20 * 5)
  })

  test('sockets that send one message after the other leave in one call for many messages of each', () => {
    const calls = countCalls(`
      const pull = new Pull()
      const { address } = pull.bind('tcp://127.0.0.1:0')
      const pushes = Array.from({ length: 50 }, () => new Push())
      for (const push of pushes) {
        push.connect(address)
        await push.send('first')
        await pull.receive()
      }
      mark()
      for (const push of pushes) void (async () => { for (let i = 0; i < 400; i++) await push.send('message') })()
      let received = 0
      for await (const messages of pull.batches()) if ((received += messages.length) === 50 * 400) break
      mark()`)
    // 1,024 messages are gathered at a time: twenty of each socket.
    expect(sum(calls, ...SENDING)).toBeLessThan((50 * 400) / 5)
  })
})
