/**
 * Messages when V8 does not take memory of the engine: failing-memory.cjs WAY ADDRESS, with the addons
 * NN_FAILING_MEMORY (failing_memory.c) and NN_HEAP (heap_in_use.c). Each n-th object for such memory cannot be made.
 * Messages then arrive with all of their bytes; or a call says that one is lost, and those behind it arrive. Prints how
 * many objects could not be made, how many messages were lost, and by how many bytes the heap grew.
 */
const path = require('node:path')
const { setImmediate: turn } = require('node:timers/promises')

const { allocMessage, NanomsgError, Pull, Push } = require(process.env.NN ?? path.join(__dirname, '..', '..', 'dist'))
// Not by require(), which would give an addon that lies in a temporary folder the same name in each Worker.
const fail = require(process.env.NN_FAILING_MEMORY)
const heapInUse = require(process.env.NN_HEAP)

const [way, address] = process.argv.slice(2)
const WAY = ['refused', 'finalized', 'collected', 'exhausted'].indexOf(way)
const LENGTHS = [1, 100, 5000, 20_000, 300_000, 600_000]
const MESSAGES = 4 * LENGTHS.length
const EVERY = [1, 3]

let failed = 0
let lost = 0

/** From now on each `every`-th object fails; 0: none does. */
function failEach(every) {
  failed += fail(every, WAY)
}

const isLoss = (error) => error instanceof NanomsgError && error.code === 'ENOMEM'

const bodyOf = (i) => Buffer.alloc(LENGTHS[i % LENGTHS.length], i + 1)

/** A message that can be handed over, or bytes where there is no memory for one. */
function messageOf(i, isTransferred) {
  if (!isTransferred) return bodyOf(i)
  try {
    const body = bodyOf(i)
    const message = allocMessage(body.length)
    body.copy(message)
    return message
  } catch (error) {
    if (!isLoss(error)) throw error
    return undefined
  }
}

async function sendAll(push, isTransferred) {
  for (let i = 0; i < MESSAGES; i++) {
    const message = messageOf(i, isTransferred)
    await push.send(message ?? bodyOf(i), { transfer: message !== undefined && isTransferred })
  }
  await push.send('') // needs no memory, and ends the round
}

/** Each message, or undefined where a call says that one was lost. */
const ways = {
  async *oneByOne(pull) {
    for (;;) {
      try {
        yield await pull.receive()
      } catch (error) {
        if (!isLoss(error)) throw error
        yield undefined
      }
    }
  },
  async *inBatches(pull) {
    for (;;) {
      try {
        for await (const batch of pull.batches()) yield* batch
      } catch (error) {
        if (!isLoss(error)) throw error
        yield undefined
      }
    }
  },
}

/** The messages come in their order, each as it was sent; calls have failed where some are missing, and only there. */
async function receiveAll(messages, handOn) {
  let next = 0
  let said = 0
  let missing = 0
  for await (const message of messages) {
    if (message === undefined) {
      said++
      continue
    }
    if (message.length === 0) {
      missing += MESSAGES - next
      break
    }
    while (next < MESSAGES && !bodyOf(next).equals(message)) {
      next++
      missing++
    }
    if (next++ === MESSAGES) throw new Error(`a message of ${message.length} bytes was never sent`)
    if (handOn !== undefined) await handOn(message)
  }
  if (said > missing || (said === 0 && missing > 0)) throw new Error(`${missing} lost, and ${said} calls say so`)
  lost += missing
}

/** Received messages are handed over to a socket of the same process, as far as they have memory of their own. */
async function receiveAndHandOn(messages, name) {
  const push = new Push()
  const pull = new Pull()
  pull.bind(`inproc://${name}`)
  push.connect(`inproc://${name}`)
  let errors = 0
  await receiveAll(messages, async (message) => {
    const copy = Buffer.from(message)
    await push.send(message, { transfer: true })
    await pull.receive().then(
      (last) => {
        if (!copy.equals(last)) throw new Error('a message that was handed on has other bytes')
      },
      (error) => {
        if (!isLoss(error)) throw error
        errors++
      },
    )
  })
  lost += errors
  await Promise.all([push.close(), pull.close()])
}

async function round(receive, isTransferred, every) {
  const pull = new Pull()
  const push = new Push()
  push.connect(pull.bind(address).address)
  await push.ready()
  const messages = ways[receive](pull)
  failEach(every)
  const sending = sendAll(push, isTransferred)
  await (isTransferred ? receiveAndHandOn(messages, `${receive}-${every}`) : receiveAll(messages))
  await sending
  failEach(0)
  await messages.return()
  await Promise.all([push.close(), pull.close()])
}

async function rounds() {
  for (const receive of Object.keys(ways)) {
    for (const isTransferred of [false, true]) {
      for (const every of EVERY) await round(receive, isTransferred, every)
    }
  }
}

/** When all memory of the engine that objects have shown is free again. */
async function heapAtRest() {
  for (let i = 0; i < 10; i++) {
    global.gc()
    await turn()
  }
  return heapInUse()
}

async function main() {
  await rounds()
  const before = await heapAtRest()
  await rounds()
  console.log(JSON.stringify({ failed, lost, heapBytes: (await heapAtRest()) - before }))
}

void main()
