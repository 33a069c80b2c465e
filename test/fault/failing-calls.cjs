/**
 * Calls of the addon that fail once: failing-calls.cjs CALL ERRNO ADDRESS LIMIT, with libfailing_calls.so preloaded
 * (see test/native/chaos/failing_calls.c). The first call of its kind fails, then the second, and so on, up to LIMIT or
 * until a conversation makes no more. Each conversation comes through, and so does a new one on new sockets; what a
 * call of JavaScript meets is a NanomsgError. Prints how many calls have failed, how many descriptors are left, and how
 * long the slowest conversation took.
 */
const { readdirSync } = require('node:fs')
const path = require('node:path')

const nn = require(process.env.NN ?? path.join(__dirname, '..', '..', 'dist'))
const [call, errno, address, most] = process.argv.slice(2)
const LIMIT_MS = 5000

const fail = (index, text) => {
  console.error(`${call}, call ${index}: ${text}`)
  process.exit(1)
}

/** Makes a call again that has met the failure. */
async function insist(action) {
  try {
    return await action()
  } catch (error) {
    if (!(error instanceof nn.NanomsgError)) throw error
    return await action()
  }
}

async function converse() {
  const rep = await insist(() => new nn.Rep({ linger: 10 }))
  const req = await insist(() => new nn.Req({ linger: 10, reconnectInterval: 1 }))
  const endpoint = await insist(() => rep.bind(address))
  await insist(() => req.connect(endpoint.address))
  const answering = insist(() => rep.serve((question) => question, { onError: () => {} })) // no warning, for which Node.js opens a descriptor
  for (const length of [10, 100_000]) {
    const question = Buffer.alloc(length, length % 251)
    const reply = await insist(() => req.request(question, { timeout: LIMIT_MS, retry: 50 }))
    if (!question.equals(reply)) throw new Error(`${reply.length} bytes came, and not ${length}`)
  }
  await Promise.all([req.close(), rep.close(), answering])
}

async function main() {
  await converse()
  const before = readdirSync('/proc/self/fd').length
  let index = 0
  let slowestMs = 0
  for (let hasFailed = true; hasFailed && index < Number(most); index++) {
    const watchdog = setTimeout(() => fail(index, 'the conversation does not end'), 4 * LIMIT_MS)
    process.env.NN_FAILING_CALL = `nanomsg_native.node ${call} ${index} ${errno}`
    const begin = performance.now()
    await converse().catch((error) => fail(index, error.stack))
    slowestMs = Math.max(slowestMs, Math.round(performance.now() - begin))
    process.env.NN_FAILING_CALL = ''
    hasFailed = process.env.NN_FAILING_CALL === '1'
    await converse().catch((error) => fail(index, error.stack))
    clearTimeout(watchdog)
  }
  const descriptors = readdirSync('/proc/self/fd').length - before
  console.log(JSON.stringify({ failed: index - 1, descriptors, slowestMs }))
}

void main()
