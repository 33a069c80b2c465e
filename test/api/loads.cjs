/** Loads the package 200 times, as test runners and hot reloaders do. Prints what that has left, and what the first
 * load's sockets still do. */
const { readdirSync } = require('node:fs')
const { dirname } = require('node:path')

const dist = dirname(require.resolve('nanomsg-native'))
const turn = () => new Promise((resolve) => setImmediate(resolve))

function load() {
  for (const file of Object.keys(require.cache)) if (file.startsWith(dist)) delete require.cache[file]
  module.children.length = 0
  return require('nanomsg-native')
}

async function converse({ Rep, Req }) {
  const rep = new Rep()
  const req = new Req()
  req.connect(rep.bind('tcp://127.0.0.1:0').address)
  const serving = rep.serve((request) => request)
  const reply = await req.request('question')
  if (String(reply) !== 'question') throw new Error(`not the reply: ${reply}`)
  await rep.close()
  await req.close()
  await serving
}

/** What is there when all that can be collected is. */
async function state() {
  for (let i = 0; i < 8; i++) {
    globalThis.gc()
    await turn()
  }
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage()
  const listeners = process.listenerCount('exit')
  return { heap: heapUsed + arrayBuffers, rss, listeners, descriptors: readdirSync('/proc/self/fd').length }
}

async function main() {
  const { Pull, Push } = load()
  const pull = new Pull()
  const push = new Push()
  push.connect(pull.bind('tcp://127.0.0.1:0').address)
  for (let i = 0; i < 40; i++) await converse(load())

  const before = await state()
  for (let i = 0; i < 200; i++) {
    // Some load it only, some use it.
    const loaded = load()
    if (i % 2 === 0) await converse(loaded)
  }
  const after = await state()
  for (let i = 0; i < 3; i++) await push.send(`message ${i}`)
  const received = []
  for (let i = 0; i < 3; i++) received.push(String(await pull.receive()))

  const grown = (what) => after[what] - before[what]
  console.log(
    JSON.stringify({
      heap: grown('heap'),
      rss: grown('rss'),
      descriptors: grown('descriptors'),
      listeners: after.listeners,
      received,
    }),
  )
  await push.close()
  await pull.close()
}

main()
