/**
 * Hostile peers with honest clients beside:
 *
 *   npm run stress -- [--transports tcp,ipc,ws,tls+tcp,wss] [--only TEXT]... [--seconds N]
 *   npm run stress -- --strangers N [--honest N] [--transports tcp]
 *
 * The first form prints, for each attack, what honest clients notice of it and what it leaves in the server, and fails
 * when a bar is missed (bars.mjs). A busy machine misses bars as well: the server and the honest clients need a
 * processor each. The second form is in strangers.mjs.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { attacksOn } from './attacks.mjs'
import { HEADLINE, judge, row } from './bars.mjs'
import { startChild } from './children.mjs'
import { meetStrangers } from './strangers.mjs'
import { makeCertificate, TRANSPORTS } from './transports.mjs'

const CALM_MS = 1500
/** In this time a server forgets peers that have left. */
const FORGETS_WITHIN_MS = 5000

const { values: options } = parseArgs({
  options: {
    transports: { type: 'string' },
    only: { type: 'string', multiple: true, default: [''] },
    seconds: { type: 'string', default: '3' },
    strangers: { type: 'string' },
    honest: { type: 'string', default: '1001' },
  },
})
const transports = (options.transports ?? (options.strangers ? 'tcp' : Object.keys(TRANSPORTS).join())).split(',')
const unknown = transports.filter((name) => !(name in TRANSPORTS))
if (unknown.length > 0) {
  console.error(`stress: ${unknown} is no transport; there are ${Object.keys(TRANSPORTS)}`)
  process.exit(2)
}

/** What the server has kept when peers have left: looked at until it is as before, or the time is over. */
async function lookWhenForgotten(server, before) {
  const end = performance.now() + FORGETS_WITHIN_MS
  for (;;) {
    const after = await server.ask('look')
    const isAsBefore = after.descriptors === before.descriptors && after.connections === before.connections
    if (isAsBefore || performance.now() > end) return after
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function attack(name, transport, address, { server, honest, hostile }) {
  const calm = await honest.ask('ask', CALM_MS)
  const before = await server.ask('look')
  await hostile.ask('begin', transport, address, name)
  const attacked = await honest.ask('ask', Number(options.seconds) * 1000)
  const during = await server.ask('look')
  const peers = await hostile.ask('end')
  const after = await lookWhenForgotten(server, before)
  return { name, transport, peers, calm, attacked, before, during, after }
}

async function attackAll(transport, credentials) {
  const names = attacksOn(TRANSPORTS[transport]).map(({ name }) => name)
  const selected = names.filter((name) => options.only.some((text) => name.includes(text)))
  const server = startChild('server.mjs')
  const honest = startChild('honest.mjs')
  // Others than our server have other machines: they take what processors are left.
  const hostile = startChild('hostile.mjs', { niceness: 19 })
  const missed = []
  try {
    const address = await server.ask('serve', transport, credentials)
    await honest.ask('connect', transport, address, credentials)
    for (const name of selected) {
      const result = await attack(name, transport, address, { server, honest, hostile })
      console.log(row(result))
      missed.push(...judge(result))
    }
  } finally {
    await Promise.all([server, honest, hostile].map((child) => child.end()))
  }
  return missed
}

const folder = mkdtempSync(join(tmpdir(), 'nn-stress-'))
const missed = []
try {
  const credentials = makeCertificate(folder)
  if (options.strangers === undefined) console.log(HEADLINE)
  for (const transport of transports) {
    if (options.strangers === undefined) missed.push(...(await attackAll(transport, credentials)))
    else {
      const counts = { strangers: Number(options.strangers), honest: Number(options.honest) }
      missed.push(...(await meetStrangers(transport, credentials, counts)))
    }
  }
} finally {
  rmSync(folder, { recursive: true })
}
for (const text of missed) console.log(`missed: ${text}`)
process.exitCode = missed.length > 0 ? 1 : 0
