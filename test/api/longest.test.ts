/** Messages that are longer than any Buffer of the runtime. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runProgram } from './support.js'

test('a message that no Buffer can hold is refused with EMSGSIZE, and those around it arrive', async () => {
  // The binding is told that Buffers end at 10,000 bytes: those of Node.js itself end where no test can go.
  const { stdout, stderr } = await runProgram(
    `
    const root = __ROOT__
    const load = require(root + '/load.js')
    const { loadAddon } = load
    load.loadAddon = () => ({ attach: (shared) => loadAddon().attach({ ...shared, longestBuffer: 10_000 }) })
    const { Pull, Push, Req, Rep } = require(root + '/index.js')
    ;(async () => {
      for (const address of ['tcp://127.0.0.1:0', 'inproc://longest']) {
        const push = new Push(), pull = new Pull()
        push.connect(pull.bind(address).address)
        for (const length of [5000, 20_000, 7, 10_000]) await push.send(Buffer.alloc(length))
        const seen = []
        while (seen.length < 4) seen.push(await pull.receive().then(({ length }) => length, ({ code }) => code))
        console.log(seen.sort().join())
      }
      process.exit()
    })()`.replace('__ROOT__', JSON.stringify(join(__dirname, '..', '..', 'dist'))),
  )
  expect([stdout, stderr]).toEqual(['10000,5000,7,EMSGSIZE\n10000,5000,7,EMSGSIZE\n', ''])
})
