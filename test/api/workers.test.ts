import { describe, expect, test } from 'vitest'
import { runProgram } from './support.js'

/** Runs `text` in workers: it has the package, `workerData` and `parentPort`. */
const preamble = (text: string) => `
  const { Worker } = require('node:worker_threads')
  const { once } = require('node:events')
  const { Pair, Pull, Push, Rep, Req, Pub, Sub } = require('nanomsg-native')
  const start = (workerData) => new Worker(${JSON.stringify(`
    const { parentPort, workerData } = require('node:worker_threads')
    const { Pair, Pull, Push, Rep, Req, Pub, Sub } = require('nanomsg-native')
    ;(async () => { ${text} })()`)}, { eval: true, workerData })
`

describe('workers', () => {
  test('talk to each other and to the main thread over inproc', async () => {
    const { stdout, stderr, exitCode } = await runProgram(`${preamble(`
      const push = new Push()
      push.connect('inproc://results')
      for (let i = 0; i < 2000; i++) await push.send(workerData + ':' + i)
      await push.close({ linger: -1 })`)}
      ;(async () => {
        const pull = new Pull()
        pull.bind('inproc://results')
        const ended = ['a', 'b', 'c'].map((name) => once(start(name), 'exit'))
        const next = { a: 0, b: 0, c: 0 }
        let count = 0
        for await (const message of pull) {
          const [name, number] = String(message).split(':')
          if (next[name]++ !== Number(number)) throw new Error('out of order: ' + message)
          if (++count === 6000) break
        }
        await Promise.all(ended)
        await pull.close()
        console.log('all there')
      })()`)
    expect([exitCode, stdout, stderr]).toEqual([0, 'all there\n', ''])
  })

  test('answer requests of the main thread over tcp', async () => {
    const { stdout, stderr, exitCode } = await runProgram(`${preamble(`
      const rep = new Rep()
      parentPort.postMessage(rep.bind('tcp://127.0.0.1:0').address)
      parentPort.once('message', () => rep.close())
      for await (const request of rep) await rep.send('re: ' + request)`)}
      ;(async () => {
        const workers = [start(), start()]
        const req = new Req()
        const bound = workers.map((worker) => once(worker, 'message'))
        for (const message of bound) req.connect((await message)[0])
        for (let i = 0; i < 500; i++) {
          await req.send('' + i)
          if (String(await req.receive()) !== 're: ' + i) throw new Error('wrong answer')
        }
        const ended = workers.map((worker) => once(worker, 'exit'))
        for (const worker of workers) worker.postMessage('end')
        await Promise.all(ended)
        await req.close()
        console.log('answered')
      })()`)
    expect([exitCode, stdout, stderr]).toEqual([0, 'answered\n', ''])
  })

  test('may be terminated at any time, busy or not', { timeout: 70_000 }, async () => {
    const { stdout, stderr, exitCode } = await runProgram(
      `${preamble(`
      const push = new Push(), pull = new Pull(), pair = new Pair()
      push.connect(workerData); pull.bind('inproc://' + Math.random()); pair.connect('inproc://nowhere')
      pair.receive().catch(() => {}); pull.receive().catch(() => {})
      await push.send('begin')
      while (true) await push.send(Buffer.alloc(Math.random() * 20000))`)}
      ;(async () => {
        const pull = new Pull()
        const addresses = [pull.bind('tcp://127.0.0.1:0').address, pull.bind('inproc://main').address]
        let isOver = false
        const draining = (async () => { for await (const _ of pull) if (isOver) break })()
        for (let i = 0; i < 20; i++) {
          const workers = addresses.map(start)
          await Promise.all(workers.map((worker) => once(worker, 'online')))
          for (let turns = 0; turns < i * 5; turns++) await new Promise((resolve) => setImmediate(resolve))
          await Promise.all(workers.map((worker) => worker.terminate()))
        }
        isOver = true
        await pull.close()
        console.log('survived')
      })()`,
      { timeout: 60_000 },
    )
    expect([exitCode, stdout, stderr]).toEqual([0, 'survived\n', ''])
  })

  test('give their inproc names back when they are terminated', async () => {
    const { stdout, stderr, exitCode } = await runProgram(`${preamble(`
      const rep = new Rep()
      rep.bind('inproc://name')
      parentPort.postMessage('bound')
      for await (const request of rep) await rep.send('worker ' + workerData)`)}
      ;(async () => {
        const req = new Req({ reconnectInterval: 2, resendInterval: 1000000 })
        req.connect('inproc://name')
        for (let i = 0; i < 5; i++) {
          const worker = start(i)
          await once(worker, 'message')
          await req.send('who?')
          if (String(await req.receive()) !== 'worker ' + i) throw new Error('somebody else')
          await worker.terminate()
        }
        const rep = new Rep()
        rep.bind('inproc://name')
        await Promise.all([rep.close(), req.close()])
        console.log('given back')
      })()`)
    expect([exitCode, stdout, stderr]).toEqual([0, 'given back\n', ''])
  })

  test('deliver what they have sent when they end by process.exit()', async () => {
    const { stdout, stderr, exitCode } = await runProgram(`${preamble(`
      const push = new Push()
      push.connect(workerData)
      await push.send('0')
      for (let i = 1; i < 100; i++) void push.send('' + i)
      process.exit()`)}
      ;(async () => {
        const pull = new Pull()
        for (const address of ['tcp://127.0.0.1:0', 'inproc://exit']) {
          const ended = once(start(pull.bind(address).address), 'exit')
          for (let i = 0; i < 100; i++) if (Number(await pull.receive()) !== i) throw new Error('out of order')
          await ended
        }
        await pull.close()
        console.log('delivered')
      })()`)
    expect([exitCode, stdout, stderr]).toEqual([0, 'delivered\n', ''])
  })

  test('and the main thread keep each their own messages, which may be copied to the other', async () => {
    const { stdout, stderr, exitCode } = await runProgram(`${preamble(`
      const pull = new Pull()
      parentPort.postMessage(pull.bind('tcp://127.0.0.1:0').address)
      for (let i = 0; i < 200; i++) parentPort.postMessage(await pull.receive())`)}
      ;(async () => {
        const worker = start()
        const push = new Push()
        const messages = []
        const all = new Promise((resolve) => worker.on('message', (message) => {
          if (typeof message === 'string') push.connect(message)
          else if (messages.push(message) === 200) resolve()
        }))
        for (let i = 0; i < 200; i++) await push.send(Buffer.alloc(i * 100, i))
        await all
        messages.forEach((message, i) => {
          if (!Buffer.alloc(i * 100, i).equals(message)) throw new Error('message ' + i + ' has changed')
        })
        await push.close()
        console.log('copied')
      })()`)
    expect([exitCode, stdout, stderr]).toEqual([0, 'copied\n', ''])
  })

  test('do not keep the process when they are unreferenced', async () => {
    const { stdout, exitCode } = await runProgram(`${preamble(`
      const pull = new Pull()
      pull.bind('inproc://for-ever')
      parentPort.postMessage('bound')
      await pull.receive()`)}
      const worker = start()
      worker.once('message', () => { worker.unref(); console.log('bound') })`)
    expect([exitCode, stdout]).toEqual([0, 'bound\n'])
  })
})
