/** Streams of TypeScript transports that always have more to read: they hold neither the event loop nor a socket. */
import { expect, test } from 'vitest'
import { runProgram } from './support.js'

/** What a stream begins with, as bytes, and what it repeats then. */
const contents = {
  'no handshake': ['junkjunk', 'junk'],
  'the handshake of a wrong type of socket': ['\0SP\0\0\x20\0\0', 'junk'],
  'messages that are too long': ['\0SP\0\0\x50\0\0', '\x7f'.repeat(64)],
  messages: ['\0SP\0\0\x50\0\0', '\0'.repeat(64)],
} as const

/** A transport of endless streams. They give their bytes in different ways, and may take nothing of what is written. */
const preamble = ([beginning, rest]: readonly [string, string]) => `
  const { Duplex } = require('node:stream')
  const { registerTransport, Pull } = require('nanomsg-native')
  const ways = { atOnce: (give) => give(), inThisTick: process.nextTick, inTheNextTurn: setImmediate }
  const made = []
  registerTransport('endless', {
    connect(address) {
      const [way, writing] = address.slice('endless://'.length).split('/')
      let next = Buffer.from(${JSON.stringify(beginning)}, 'latin1')
      const stream = new Duplex({
        read() {
          ways[way](() => {
            stream.push(next)
            next = Buffer.from(${JSON.stringify(rest)}, 'latin1')
          })
        },
        write(chunk, encoding, done) { if (writing === 'taken') done() },
      })
      made.push(stream)
      return stream
    },
    listen: () => ({ close() {} }),
  })
  const until = async (condition) => { while (!condition()) await new Promise(setImmediate) }
  const eachKind = async (run) => {
    for (const way in ways) for (const writing of ['taken', 'stuck']) {
      made.length = 0
      await run(new Pull({ reconnectInterval: 1, reconnectIntervalMax: 1 }), 'endless://' + way + '/' + writing)
      await until(() => made.every((stream) => stream.destroyed))
      console.log(way, writing)
    }
  }`

const allKinds = ['atOnce', 'inThisTick', 'inTheNextTurn'].map((way) => `${way} taken\n${way} stuck\n`).join('')

test.each(['no handshake', 'the handshake of a wrong type of socket', 'messages that are too long'] as const)(
  'endless streams of %s are destroyed when they are refused',
  async (content) => {
    const { stdout, stderr } = await runProgram(
      `${preamble(contents[content])}
      eachKind(async (pull, address) => {
        pull.connect(address)
        await until(() => made.length > 3)
        await until(() => made.slice(0, 3).every((stream) => stream.destroyed))
        await pull.close()
      })`,
      { timeout: 60_000 },
    )
    expect([stdout, stderr]).toEqual([allKinds, ''])
  },
  70_000,
)

test('endless streams of messages leave the event loop its turns, and close() its limit', async () => {
  const { stdout, stderr } = await runProgram(
    `${preamble(contents.messages)}
    eachKind(async (pull, address) => {
      pull.connect(address)
      let isOver = false
      setTimeout(() => { isOver = true }, 20)
      let received = 0
      while (!isOver || received < 1000) if ((await pull.receive()).length === 0) received++
      await pull.close({ linger: 20 })
    })`,
    { timeout: 60_000 },
  )
  expect([stdout, stderr]).toEqual([allKinds, ''])
}, 70_000)
