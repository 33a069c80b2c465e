/** Messages that are longer than any Buffer of the runtime. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runProgram } from './support.js'

/** The binding is told that Buffers end at 10,000 bytes: those of Node.js itself end where no test can go. */
const runWithShortBuffers = (text: string) =>
  runProgram(
    `
    const root = ${JSON.stringify(join(__dirname, '..', '..', 'dist'))}
    const Module = require('node:module')
    const load = Module._load
    Module._load = (request, ...others) => {
      const loaded = load(request, ...others)
      if (!request.endsWith('.node')) return loaded
      return { ...loaded, attach: (shared) => loaded.attach({ ...shared, maxBuffer: 10_000 }) }
    }
    const { Pull, Push, Rep, Req } = require(root + '/index.js')
    ;(async () => { ${text}; process.exit() })()`,
  )

test('a message that no Buffer can hold is refused with EMSGSIZE, and those around it arrive', async () => {
  const { stdout, stderr } = await runWithShortBuffers(`
      for (const address of ['tcp://127.0.0.1:0', 'inproc://longest']) {
        const push = new Push(), pull = new Pull()
        push.connect(pull.bind(address).address)
        for (const length of [5000, 20_000, 7, 10_000]) await push.send(Buffer.alloc(length))
        const seen = []
        while (seen.length < 4) seen.push(await pull.receive().then(({ length }) => length, ({ code }) => code))
        console.log(seen.sort().join())
      }`)
  expect([stdout, stderr]).toEqual(['10000,5000,7,EMSGSIZE\n10000,5000,7,EMSGSIZE\n', ''])
})

test('a request or a reply that no Buffer can hold harms only the call that waits for it', async () => {
  const { stdout, stderr } = await runWithShortBuffers(`
      const rep = new Rep(), clumsy = new Req(), other = new Req()
      const { address } = rep.bind('tcp://127.0.0.1:0')
      clumsy.connect(address)
      other.connect(address)
      void rep.serve((body) => Buffer.alloc(Number(body)))
      const failures = [Buffer.alloc(20_000), '20000'].map((body) =>
        clumsy.request(body, { timeout: 500 }).catch(({ code }) => code))
      for (let i = 0; i < 10; i++) console.log((await other.request(String(i))).length)
      console.log(await Promise.all(failures))
      console.log((await clumsy.request('7')).length)`)
  const lengths = Array.from({ length: 10 }, (_, i) => `${i}\n`).join('')
  expect([stdout, stderr]).toEqual([`${lengths}[ 'ETIMEDOUT', 'ETIMEDOUT' ]\n7\n`, ''])
})

test('compat: a message that no Buffer can hold is an error, and those behind it arrive', async () => {
  const { stdout, stderr } = await runWithShortBuffers(`
      const { socket } = require(root + '/compat/index.js')
      const push = new Push(), pull = socket('pull')
      const errors = [], seen = []
      process.on('uncaughtException', ({ message }) => errors.push(message))
      push.bind('inproc://longest')
      const all = new Promise((resolve) => pull.on('data', ({ length }) => seen.push(length) === 2 && resolve()))
      pull.connect('inproc://longest')
      for (const length of [20_000, 7, 8]) await push.send(Buffer.alloc(length))
      await all
      while (errors.length === 0) await new Promise(setImmediate)
      const next = new Promise((resolve) => pull.once('data', resolve))
      await push.send('next')
      console.log(seen.join(), errors.length, String(await next))`)
  expect([stdout, stderr]).toEqual(['7,8 1 next\n', ''])
})
