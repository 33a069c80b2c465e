/** What stays in memory when a program keeps few of many messages. */
import { describe, expect, test } from 'vitest'
import { describeNodes } from '../support/nodes.js'
import { runProgram } from './support.js'

/** Receives `count` messages of `length` bytes, numbered, and keeps every `each`th. */
const preamble = `
  const { Pull, Push } = require('nanomsg-native')
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const settle = async () => { for (let i = 0; i < 6; i++) { gc(); await turn() } }
  const heldMiB = async () => { await settle(); return process.memoryUsage().external / 2 ** 20 }
  const push = new Push(), pull = new Pull()
  push.connect(pull.bind('tcp://127.0.0.1:0').address)
  async function receive(count, length, each) {
    const body = Buffer.alloc(length)
    void (async () => {
      for (let i = 0; i < count; i++) { body.writeUInt32LE(i); await push.send(Buffer.from(body)) }
    })()
    const kept = []
    let next = 0
    for await (const messages of pull.batches()) {
      for (const message of messages) if (next++ % each === 0) kept.push(message)
      if (next === count) return kept
    }
  }
  const wrong = (kept, length, each) => kept.filter((message, i) =>
    message.length !== length || message.readUInt32LE() !== each * i || !Buffer.isBuffer(message))
  const SLAB = 256 * 1024
`

const run = (text: string, node = process.execPath) =>
  runProgram(`${preamble};(async () => { ${text} })().then(() => process.exit(), (error) => console.log(error))`, {
    args: ['--expose-gc'],
    timeout: 60_000,
    node,
  })

describe('one message of each slab that is kept', () => {
  // 60,000 messages come in about 1,000 slabs of 256 KiB, which would be 250 MiB.
  test('keeps at most 128 MiB of other messages, and is what it was', async () => {
    const { stdout } = await run(`
      const kept = await receive(60000, 4000, 29)
      console.log(wrong(kept, 4000, 29).length, await heldMiB() < 170 ? 'bounded' : 'holds ' + await heldMiB())`)
    expect(stdout).toBe('0 bounded\n')
  }, 60_000)

  test('is a view until they are too many, then a copy, and a view again when the others are gone', async () => {
    const { stdout } = await run(`
      let kept = await receive(60000, 4000, 29)
      const before = [kept[0].buffer.byteLength === SLAB, kept.at(-1).buffer.byteLength < SLAB]
      const short = await receive(1, 60, 1)
      before.push(short[0].buffer.byteLength === 60, wrong(short, 60, 1).length === 0)
      kept = undefined
      await settle()
      console.log(...before, (await receive(1, 60, 1))[0].buffer.byteLength === SLAB)`)
    expect(stdout).toBe('true true true true true\n')
  }, 60_000)
})

// 800 MiB, with as many objects as bytes allow: V8 must collect them, and what they show, sooner than that adds up.
test('messages that are not kept hold 128 MiB at most, without a collection that the program asks for', async () => {
  const { stdout } = await run(`
    const bodies = Array.from({ length: 1000 }, (_, i) => Buffer.alloc(1000, i))
    const count = 800_000
    void (async () => { for (let i = 0; i < count / 1000; i++) await push.sendBatch(bodies) })()
    let received = 0, most = 0
    for await (const messages of pull.batches()) {
      most = Math.max(most, process.memoryUsage().external / 2 ** 20)
      received += messages.length
      if (received === count) break
    }
    console.log(most < 160 ? 'bounded' : 'held ' + most)`)
  expect(stdout).toBe('bounded\n')
}, 60_000)

describeNodes('messages that are not kept', ({ path }) => {
  test('cost no collections of everything', async () => {
    // 512 MiB: V8 starts such a collection for each 64 MiB that its short ones do not free.
    const text = `
      const { PerformanceObserver, constants } = require('node:perf_hooks')
      let collections = 0
      new PerformanceObserver((list) => {
        for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) collections++
      }).observe({ entryTypes: ['gc'] })
      await receive(8192, 65536, 8192)
      await turn()
      console.log(collections < 4 ? 'few' : collections)`
    const { stdout } = await run(text, path)
    expect(stdout).toBe('few\n')
  })
})
