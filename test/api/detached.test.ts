/** Messages whose memory JavaScript takes away: the engine's memory stays the engine's, and no message is lost. */
import { expect, test } from 'vitest'
import { describeNodes } from '../support/nodes.js'
import { runProgram } from './support.js'

/** Ways to take the memory of a message: each returns the owner it has then, or throws where a version of Node.js
 * refuses. */
const ways = {
  'a byte stream': `(message) => {
    let controller
    const stream = new ReadableStream({ type: 'bytes', start(c) { controller = c } })
    controller.enqueue(message)
    return stream.getReader().read().then(({ value }) => value.buffer)
  }`,
  'a read into it': `async (message) => {
    const stream = new ReadableStream({ type: 'bytes', pull(c) { c.byobRequest.view[0] = 33; c.byobRequest.respond(1) } })
    return (await stream.getReader({ mode: 'byob' }).read(message)).value.buffer
  }`,
  'transfer()': '(message) => message.buffer.transfer()',
  'transferToFixedLength()': '(message) => message.buffer.transferToFixedLength()',
  'structuredClone()': '(message) => structuredClone(message, { transfer: [message.buffer] }).buffer',
  'postMessage()': `async (message) => {
    const { port1, port2 } = new MessageChannel()
    try {
      port1.postMessage(message, [message.buffer])
      const { receiveMessageOnPort } = require('node:worker_threads')
      return receiveMessageOnPort(port2)?.message?.buffer
    } finally {
      port1.close()
    }
  }`,
}

/** Where messages lie: in a slab, copied into one, in memory of their own. */
const places = [
  { place: 'a slab', address: 'tcp://127.0.0.1:0', length: 100 },
  { place: 'a slab of copies', address: 'inproc://copies', length: 100 },
  { place: 'memory of its own', address: 'tcp://127.0.0.1:0', length: 100_000 },
  { place: 'memory that was sent', address: 'inproc://sent', length: 100_000 },
  { place: 'no memory', address: 'tcp://127.0.0.1:0', length: 0 },
]

const preamble = `
  const { Pull, Push, Rep, Req } = require('nanomsg-native')
  const { Readable } = require('node:stream')
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const settle = async () => { for (let i = 0; i < 5; i++) { gc(); await turn() } }
  const push = new Push(), pull = new Pull()
  const numbered = (i, length) => Buffer.alloc(length, 'message ' + i + ', ')
  /** That number of messages, all of which are there when the first is received. */
  const sendAll = async (count, length) => {
    const sending = (async () => { for (let i = 0; i < count; i++) await push.send(numbered(i, length)) })()
    await Promise.race([sending, (async () => { for (let i = 0; i < 100; i++) await turn() })()])
    return sending
  }
  const fail = (text) => { throw new Error(text) }
`

/** Node.js 24 and 26 hang now and then in process.exit() while V8 compiles on another thread (nodejs/node#54918): 6 of
 * 144 runs of a program that ends right after it has filled the heap, none of 300 without such compiling. */
const args = ['--expose-gc', '--no-concurrent-recompilation']

const run = (node: string, text: string) =>
  runProgram(
    `${preamble};(async () => { ${text} })().then(() => process.exit(), (error) => { console.log(error); process.exit(1) })`,
    { args, timeout: 60_000, node },
  )

describeNodes('memory that is taken from a message', ({ version, path }) => {
  const known = Object.entries(ways).filter(([way]) => !(version === '20' && way.startsWith('transfer')))
  const cases = known.flatMap(([way, take]) => places.map((place) => ({ way, take, ...place })))

  test.each(cases)('by $way, in $place: others arrive whole, and nowhere else', async ({ take, address, length }) => {
    const { stdout, stderr, exitCode } = await run(
      path,
      `
      push.connect(pull.bind('${address}').address)
      const take = ${take}
      const sending = sendAll(50, ${length})
      let taken
      try { taken = await take(await pull.receive()) } catch (error) {
        if (!(error instanceof TypeError || error.name === 'DataCloneError')) throw error
      }
      for (let i = 1; i < 50; i++) {
        if (!(await pull.receive()).equals(numbered(i, ${length}))) fail('message ' + i + ' has changed')
      }
      await sending
      await push.send('SECRET'.repeat(50))
      if (String(await pull.receive()) !== 'SECRET'.repeat(50)) fail('the next message has changed')
      if (taken && Buffer.from(taken).includes('SECRET')) fail('the owner of the memory sees later messages')
      taken = undefined
      await settle()
      const victims = Array.from({ length: 64 }, () => Buffer.alloc(256 * 1024, 0xaa))
      await push.send('SECRET'.repeat(50))
      if (String(await pull.receive()) !== 'SECRET'.repeat(50)) fail('the last message has changed')
      if (victims.some((victim) => victim.includes('SECRET'))) fail('memory of others was written to')
      console.log('whole')`,
    )
    expect([stdout, stderr, exitCode]).toEqual(['whole\n', '', 0])
  })

  test('when messages are copied for want of room: each can be taken, and the others stay', async () => {
    const { stdout, stderr } = await run(
      path,
      `
      push.connect(pull.bind('tcp://127.0.0.1:0').address)
      const count = 50000, kept = []
      const sending = (async () => { for (let i = 0; i < count; i++) await push.send(Buffer.alloc(4000, i)) })()
      for (let i = 0; i < count; i++) {
        const message = await pull.receive()
        if (i % 29 === 0) kept.push(message)
      }
      await sending
      const last = kept.at(-1)
      if (last.buffer.byteLength > 8192) fail('this is no copy')
      const buffer = Buffer.from('of another part of the program')
      new ReadableStream({ type: 'bytes', start(controller) { controller.enqueue(last) } })
      if (String(buffer) !== 'of another part of the program') fail('Buffers of others have no bytes')
      await push.send('next')
      console.log(String(await pull.receive()))`,
    )
    expect([stdout, stderr]).toEqual(['next\n', ''])
  })

  const streams = {
    'Readable.toWeb() of readable()': "Readable.toWeb(pull.readable(), { type: 'bytes' })",
    'Readable.toWeb() of an iteration': "Readable.toWeb(Readable.from(pull, { highWaterMark: 0 }), { type: 'bytes' })",
    'an iteration': `new ReadableStream({ type: 'bytes', async pull(controller) {
      for await (const message of pull) { controller.enqueue(message); return }
    } })`,
    'receive()':
      "new ReadableStream({ type: 'bytes', async pull(controller) { controller.enqueue(await pull.receive()) } })",
  }

  test.each(Object.entries(streams))('%s makes a byte stream of all messages', async (_name, stream) => {
    const { stdout, stderr } = await run(
      path,
      `
      push.connect(pull.bind('tcp://127.0.0.1:0').address)
      const expected = Buffer.concat(Array.from({ length: 500 }, (_, i) => numbered(i, 1 + i * 20)))
      ;(async () => { for (let i = 0; i < 500; i++) await push.send(numbered(i, 1 + i * 20)) })()
      const reader = (${stream}).getReader()
      const pieces = []
      for (let bytes = 0; bytes < expected.length; bytes += pieces.at(-1).length) {
        pieces.push(Buffer.from((await reader.read()).value))
      }
      console.log(Buffer.concat(pieces).equals(expected))`,
    )
    expect([stdout, stderr]).toEqual(['true\n', ''])
  })

  test.each([100, 1_000_000])(
    'a copy of %i bytes outlives the Worker that has received the message',
    async (length) => {
      const { stdout, stderr, signal } = await run(
        path,
        `
      const { Worker } = require('node:worker_threads')
      const worker = new Worker(${JSON.stringify(`
        const { parentPort } = require('node:worker_threads')
        const { Pull, Push } = require('nanomsg-native')
        const pull = new Pull(), push = new Push()
        push.connect(pull.bind('tcp://127.0.0.1:0').address)
        ;(async () => {
          await push.send(Buffer.alloc(${length}, 7))
          const copy = new Uint8Array(await pull.receive())
          const stream = new ReadableStream({ type: 'bytes', start(controller) { controller.enqueue(copy) } })
          const { value } = await stream.getReader().read()
          parentPort.postMessage(value, [value.buffer])
        })()`)}, { eval: true })
      const given = await new Promise((resolve) => worker.on('message', resolve))
      await worker.terminate()
      await settle()
      Array.from({ length: 64 }, () => Buffer.alloc(256 * 1024, 0xaa))
      console.log(given.length, given.every((byte) => byte === 7))`,
      )
      expect([signal, stdout, stderr]).toEqual([null, `${length} true\n`, ''])
    },
  )

  const collect = 'for (let i = 0; i < 5; i++) { gc(); await new Promise(setImmediate) }'
  /** What the Worker does before it ends: it still has the message that it gave on, V8 has collected it some time ago,
   *  or just now, while another one is there. */
  const waits = {
    'still has': '',
    'has long forgotten': `held.pop(); ${collect}; await new Promise((resolve) => setTimeout(resolve, 300))`,
    'has just forgotten': `held.push(await receiveAndGive()); held.shift(); ${collect}`,
  }

  const toMain = (length: number, way: string, wait = '') => `
      const { Worker } = require('node:worker_threads')
      const worker = new Worker(${JSON.stringify(`
        const { parentPort } = require('node:worker_threads')
        const { Pull, Push } = require('nanomsg-native')
        const pull = new Pull(), push = new Push()
        push.connect(pull.bind('tcp://127.0.0.1:0').address)
        const give = ${way}, held = []
        ;(async () => {
          for (let i = 0; i < 2; i++) await push.send(Buffer.alloc(${length}, 7))
          const receiveAndGive = async () => {
            const message = await pull.receive()
            held.push(message)
            return { byteOffset: message.byteOffset, buffer: await give(message) }
          }
          const { byteOffset, buffer } = await receiveAndGive()
          ${wait}
          parentPort.postMessage(new Uint8Array(buffer, byteOffset, ${length}), [buffer])
        })().catch((error) => parentPort.postMessage(String(error)))`)}, { eval: true })
      const given = await new Promise((resolve) => worker.on('message', resolve))
      await worker.terminate()
      await settle()
      Array.from({ length: 64 }, () => Buffer.alloc(256 * 1024, 0xaa))
      console.log(given.length, given.every?.((byte) => byte === 7) ?? given)`

  const outlives = ['a byte stream', 'transfer()', 'transferToFixedLength()'] as const
  const lives = outlives.flatMap((way) => [
    ...[100, 5000, 1_000_000].map((length) => ({ way, length, has: 'still has' as const })),
    ...(['has long forgotten', 'has just forgotten'] as const).map((has) => ({ way, length: 1_000_000, has })),
  ])
  test.each(lives)(
    'by $way and another thread: $length bytes outlive the Worker that $has the message',
    async ({ way, length, has }) => {
      const { stdout, stderr, signal } = await run(path, toMain(length, ways[way], waits[has]))
      // Before Node.js 22 there is no transfer().
      if (way !== 'a byte stream' && stdout.includes('is not a function')) return
      expect([signal, stdout, stderr]).toEqual([null, `${length} true\n`, ''])
    },
  )

  test('Workers that end take the memory of the messages with them that no other thread has', async () => {
    const { stdout, stderr } = await run(
      path,
      `
      const { Worker } = require('node:worker_threads')
      const endOne = async () => {
        const worker = new Worker(${JSON.stringify(`
          const { parentPort } = require('node:worker_threads')
          const { Pull, Push } = require('nanomsg-native')
          const pull = new Pull(), push = new Push()
          push.connect(pull.bind('tcp://127.0.0.1:0').address)
          const kept = []
          ;(async () => { for (let i = 0; i < 40; i++) await push.send(Buffer.alloc(i % 2 ? 200_000 : 60_000, 7)) })()
          ;(async () => {
            while (kept.length < 40) kept.push(await pull.receive())
            parentPort.postMessage('received')
          })()`)}, { eval: true })
        await new Promise((resolve) => worker.on('message', resolve))
        await worker.terminate()
      }
      for (let i = 0; i < 10; i++) await endOne()
      const before = process.memoryUsage.rss()
      for (let i = 0; i < 20; i++) await endOne()
      const grown = (process.memoryUsage.rss() - before) / 1e6
      console.log(grown < 40 ? 'level' : 'grown by ' + grown + ' MB')`,
    )
    expect([stdout, stderr]).toEqual(['level\n', ''])
  })

  test('by the receiver of answers to a survey: those that wait arrive whole', async () => {
    const { stdout, stderr } = await run(
      path,
      `
      const { Respondent, Surveyor } = require('nanomsg-native')
      for (const peers of [false, true]) {
        const surveyor = new Surveyor()
        const { address } = surveyor.bind('tcp://127.0.0.1:0')
        for (let i = 0; i < 20; i++) {
          const respondent = new Respondent()
          respondent.connect(address)
          void respondent.serve(() => 'answer ' + i)
        }
        await surveyor.ready({ peers: 20 })
        const answers = surveyor.survey('?', { deadline: 30_000, peers })
        while (surveyor.stats().messagesReceived < 20) await turn()
        const seen = []
        for (let i = 0; i < 20; i++) {
          const { value } = await answers.next()
          const body = peers ? value.body : value
          seen.push(String(body))
          if (body.length > 0) new ReadableStream({ type: 'bytes', start(controller) { controller.enqueue(body) } })
        }
        console.log(new Set(seen.filter((text) => text.startsWith('answer '))).size)
      }`,
    )
    expect([stdout, stderr]).toEqual(['20\n20\n', ''])
  })

  test('by a handler of requests: the other requests arrive whole', async () => {
    const { stdout, stderr } = await run(
      path,
      `
      const rep = new Rep(), req = new Req()
      req.connect(rep.bind('tcp://127.0.0.1:0').address)
      void rep.serve(async (body) => {
        const stream = new ReadableStream({ type: 'bytes', start(controller) { controller.enqueue(body) } })
        return (await stream.getReader().read()).value
      })
      const replies = await Promise.all(Array.from({ length: 100 }, (_, i) => req.request('request ' + i)))
      console.log(replies.filter((reply, i) => String(reply) === 'request ' + i).length)`,
    )
    expect([stdout, stderr]).toEqual(['100\n', ''])
  })
})

test('a byte stream takes the memory of what was received together, and of nothing that is received later', async () => {
  const { stdout, stderr } = await run(
    process.execPath,
    `
    push.connect(pull.bind('tcp://127.0.0.1:0').address)
    const batches = pull.batches()
    const receive = async (count) => {
      const seen = []
      while (seen.length < count) seen.push(...(await batches.next()).value)
      return seen
    }
    void sendAll(50, 100)
    const [first, ...others] = await receive(50)
    new ReadableStream({ type: 'bytes', start(controller) { controller.enqueue(first) } })
    const isWhole = (message, i) => message.equals(numbered(i, 100))
    if (!others.every((message, i) => message.length === 0 || isWhole(message, i + 1))) fail('foreign bytes')
    void sendAll(50, 100)
    const later = await receive(50)
    for (const message of later) new ReadableStream({ type: 'bytes', start(controller) { controller.enqueue(message) } })
    console.log('taken')`,
  )
  expect([stdout, stderr]).toEqual(['taken\n', ''])
})
