/**
 * Thousands of strangers and many honest peers at once: strangers hold their connections in all ways that cost memory,
 * and each honest peer sends a message of 1 MiB at the same moment. All of these must get through, and the server must
 * stay under 1 GiB.
 */
import { readFileSync } from 'node:fs'
import { startChild } from './children.mjs'

const MESSAGE_BYTES = 1024 * 1024
const MOST_MEMORY_MIB = 1024
const TIMEOUT_MS = 60_000
/** What a process has open besides connections. */
const OTHER_DESCRIPTORS = 200
/** Strangers of one process: it has half as many ports to come from as there are, and its loop is to turn. */
const STRANGERS_PER_PROCESS = 5000

/** How many descriptors a process may have. Node.js has raised the limit that others see to this one by itself. */
function descriptorLimit() {
  try {
    return Number(/Max open files\s+\d+\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'latin1'))[1])
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

function affordable({ strangers, honest }) {
  const most = descriptorLimit() - OTHER_DESCRIPTORS - honest
  if (strangers <= most) return strangers
  console.log(`The system allows a process no more than ${descriptorLimit()} descriptors: ${most} strangers come.`)
  return most
}

async function connectStrangers(transport, address, count) {
  const children = []
  for (let left = count; left > 0; left -= STRANGERS_PER_PROCESS) {
    const child = startChild('hostile.mjs', { niceness: 19 })
    children.push(child)
    await child.ask('hold', transport, address, Math.min(left, STRANGERS_PER_PROCESS))
  }
  return children
}

/** Returns which bars were missed. */
export async function meetStrangers(transport, credentials, counts) {
  const count = affordable(counts)
  const [server, honest] = [startChild('server.mjs'), startChild('honest.mjs')]
  const children = [server, honest]
  try {
    const address = await server.ask('listen', transport, credentials)
    const before = await server.ask('look')
    children.push(...(await connectStrangers(transport, address, count)))
    const held = await server.ask('look')
    const start = performance.now()
    await honest.ask('prepareSenders', transport, address, credentials, counts.honest, MESSAGE_BYTES)
    const joined = performance.now()
    const receiving = server.ask('receive', counts.honest, MESSAGE_BYTES, TIMEOUT_MS)
    const sending = honest.ask('sendAtOnce')
    const received = await receiving
    const seconds = (from, to) => ((to - from) / 1000).toFixed(1)
    const times = `${seconds(joined, performance.now())} s, after they had joined in ${seconds(start, joined)} s`
    if (received === counts.honest) await sending
    const { mostMemoryMiB, longestMs } = await server.ask('look')
    console.log(
      `${transport}: of ${count} strangers ${held.connections} were connected; ${received} of ${counts.honest} honest ` +
        `messages came in ${times}; memory at most ${mostMemoryMiB} MiB, first ${before.memoryMiB} MiB; ` +
        `the longest pause was ${longestMs.toFixed(0)} ms`,
    )
    const missed = []
    if (received < counts.honest) missed.push(`${transport}: ${counts.honest - received} messages have not come`)
    if (mostMemoryMiB > MOST_MEMORY_MIB) missed.push(`${transport}: ${mostMemoryMiB} MiB, not ${MOST_MEMORY_MIB}`)
    return missed
  } finally {
    await Promise.all(children.map((child) => child.end()))
  }
}
