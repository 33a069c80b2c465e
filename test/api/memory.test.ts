import { Pull, Push } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll, runProgram } from './support.js'

/** Runs `text` in a process of its own, which may collect garbage: it has `settle()` and `usedMiB()`. */
function runWithGc(text: string) {
  const program = `
    const { Pair, Pub, Pull, Push, Rep, Req, Sub } = require('nanomsg-native')
    const turn = () => new Promise((resolve) => setImmediate(resolve))
    // Memory of Buffers is given back in a turn after the one in which they are collected.
    const settle = async () => { for (let i = 0; i < 5; i++) { gc(); await turn() } }
    const usedMiB = async () => { await settle(); return process.memoryUsage().rss / 2 ** 20 }
    ;(async () => { ${text} })().then(() => process.exit(), (error) => { console.log(error); process.exit(1) })`
  return runProgram(program, { args: ['--expose-gc'], timeout: 60_000 })
}

describe('messages that are kept', () => {
  test.each(['tcp://127.0.0.1:0', 'inproc://kept'])('outlive collections and later messages: %s', async (address) => {
    const { stdout, exitCode } = await runWithGc(`
      const push = new Push(), pull = new Pull()
      push.connect(pull.bind('${address}').address)
      const lengths = [1, 30, 1000, 4095, 4096, 5000, 70000, 200000]
      const kept = []
      for (let round = 0; round < 20; round++) {
        const sending = (async () => { for (const length of lengths) await push.send(Buffer.alloc(length, round + 1)) })()
        for (const length of lengths) {
          const message = await pull.receive()
          if (message.length !== length) throw new Error('length ' + message.length)
          kept.push(round % 2 === 0 ? message : message.subarray(0))
        }
        await sending
        await settle()
      }
      await push.close()
      await pull.close()
      await settle()
      kept.forEach((message, i) => {
        const expected = Math.floor(i / lengths.length) + 1
        if (!message.every((byte) => byte === expected)) throw new Error('message ' + i + ' has changed')
      })
      console.log(kept.length)`)
    expect([exitCode, stdout]).toEqual([0, '160\n'])
  })

  test('stay as they are, however many they are', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll('tcp://127.0.0.1:0', pull, push)
    void (async () => {
      for (let i = 0; i < 50_000; i++) await push.send(`message ${i}`.padEnd(100))
    })()
    const kept: Buffer[] = []
    for await (const message of pull) {
      kept.push(message)
      if (kept.length === 50_000) break
    }
    kept.forEach((message, i) => {
      if (message.toString().trimEnd() !== `message ${i}`) throw new Error(`message ${i} reads ${message}`)
    })
  })
})

const LIMIT_MIB = 2

/** Does something `count` times in each of several rounds. Slabs come and go by the dozen, so that one round tells
 * little: rounds go on until the later half of them has grown by less than the limit on average. What leaks grows in
 * all. */
async function bounded(run: string, count: number): Promise<void> {
  const { stdout, exitCode } = await runWithGc(`
    const run = async (count) => { ${run} }
    const used = []
    const meanGrowth = () => {
      const later = used.slice(used.length >> 1)
      return (later.at(-1) - later[0]) / (later.length - 1)
    }
    do {
      await run(${count})
      used.push(await usedMiB())
    } while (used.length < 7 || (used.length < 25 && meanGrowth() >= ${LIMIT_MIB}))
    console.log(meanGrowth() < ${LIMIT_MIB} ? 'bounded' : 'it grows: ' + used.map(Math.round) + ' MiB')`)
  expect([exitCode, stdout]).toEqual([0, 'bounded\n'])
}

describe('memory of messages that always wait', { timeout: 60_000 }, () => {
  test('is used again, though the event loop has no event of the socket', async () => {
    const { stdout, exitCode } = await runWithGc(`
      const { Worker } = require('node:worker_threads')
      const pull = new Pull()
      const { address } = pull.bind('tcp://127.0.0.1:0')
      const flooding = new Worker(\`
        const { Push } = require('nanomsg-native')
        const bodies = Array(256).fill(Buffer.alloc(100))
        const flood = async (push) => { for (;;) await push.sendBatch(bodies) }
        for (let i = 0; i < 50; i++) {
          const push = new Push()
          push.connect('\${address}')
          void flood(push)
        }\`, { eval: true })
      let bytes = 0, most = 0
      for await (const messages of pull.batches()) {
        bytes += 100 * messages.length
        most = Math.max(most, process.memoryUsage().external)
        if (bytes > 200e6) break
      }
      console.log(most < bytes / 4 ? 'used again' : most + ' bytes are kept')`)
    expect([exitCode, stdout]).toEqual([0, 'used again\n'])
  })
})

describe('memory does not grow', { timeout: 60_000 }, () => {
  test('with messages that have passed', () =>
    bounded(
      `const push = new Push(), pull = new Pull()
      push.connect(pull.bind('tcp://127.0.0.1:0').address)
      const pass = async (count, body) => {
        void (async () => { for (let i = 0; i < count; i++) await push.send(body) })()
        let seen = 0
        for await (const messages of pull.batches()) if ((seen += messages.length) === count) break
      }
      await pass(count, Buffer.alloc(100))
      await pass(count / 200, Buffer.alloc(100_000))
      await Promise.all([push.close(), pull.close()])`,
      200_000,
    ))

  test('with sockets that have been closed', () =>
    bounded(
      `for (let i = 0; i < count; i++) {
        const push = new Push(), pull = new Pull()
        push.connect(pull.bind('tcp://127.0.0.1:0').address)
        await push.send('x')
        await pull.receive()
        await Promise.all([push.close(), pull.close()])
      }`,
      1500,
    ))

  test('with endpoints that have been closed', () =>
    bounded(
      `const pull = new Pull(), push = new Push()
      for (let i = 0; i < count; i++) {
        const bound = pull.bind('inproc://endpoint'), connected = push.connect('inproc://endpoint')
        await push.send('x')
        await pull.receive()
        connected.close()
        bound.close()
      }`,
      5000,
    ))

  test('with requests and their replies', () =>
    bounded(
      `const req = new Req(), rep = new Rep()
      req.connect(rep.bind('tcp://127.0.0.1:0').address)
      for (let i = 0; i < count; i++) {
        await req.send('question')
        await rep.send(await rep.receive())
        await req.receive()
      }
      await Promise.all([req.close(), rep.close()])`,
      5000,
    ))

  test('with requests that are given up', () =>
    bounded(
      `const req = new Req(), rep = new Rep()
      req.connect(rep.bind('inproc://given-up').address)
      for (let i = 0; i < count; i++) {
        await req.send(Buffer.alloc(1000))
        while (rep.tryReceive() !== undefined) rep.trySend('too late')
        if (i % 100 === 0) await turn()
      }
      await Promise.all([req.close({ linger: 0 }), rep.close({ linger: 0 })])`,
      30_000,
    ))

  test('with messages for Subs that have not subscribed to them', () =>
    bounded(
      `const pub = new Pub(), sub = new Sub().subscribe('a', 'end')
      pub.connect(sub.bind('tcp://127.0.0.1:0').address)
      let isOver = false
      const receiving = sub.receive().then(() => { isOver = true })
      for (let i = 0; i < count; i++) await pub.send(Buffer.alloc(1000, 'b'))
      while (!isOver) { await pub.send('end'); await turn() }
      await Promise.all([pub.close(), sub.close()])`,
      50_000,
    ))

  test('with calls that have given up waiting', () =>
    bounded(
      `const pair = new Pair(), { signal } = new AbortController()
      for (let i = 0; i < count; i++) {
        const controller = new AbortController()
        const calls = [
          pair.receive({ signal: controller.signal }), pair.send('x'.repeat(100), { signal: controller.signal }),
          pair.receive({ timeout: 0, signal }), pair.send('x', { timeout: 0, signal }),
        ]
        controller.abort()
        await Promise.allSettled(calls)
      }
      await pair.close()`,
      10_000,
    ))

  test('with workers that have ended and left their sockets open', () =>
    bounded(
      `const { Worker } = require('node:worker_threads'), { once } = require('node:events')
      const text = "const { Pull, Push } = require('nanomsg-native'); const pull = new Pull(), push = new Push();"
        + "push.connect(pull.bind('tcp://127.0.0.1:0').address); push.send('x').then(() => pull.receive())"
      for (let i = 0; i < count; i++) await once(new Worker(text, { eval: true }), 'exit')`,
      12,
    ))
})
