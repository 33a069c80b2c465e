/** What this package is to reach, and whether a run has seen it. */
import { figuresOf, median, ratio } from './report.mjs'

const OURS = 'nanomsg-native'
const EACH = 'nanomsg-native-each'
const TRANSFER = 'nanomsg-native-transfer'
const IN_C = 'nanomsg-native-c'

const push = (transport, size) => `PUSH→PULL ${transport} ${size}`
const trip = (transport, size) => `REQ/REP ${transport} ${size}`
const toAndFro = (size) => `to and fro threads ${size}`
const RATE = 'messagesPerSecond'

/** The first figure, divided by the second, is to be `atLeast` or `atMost` so much. */
const faster = (title, ours, theirs, atLeast, otherTitle = title) => ({
  title,
  ours,
  theirs,
  otherTitle,
  key: RATE,
  atLeast,
})
const shorter = (title, ours, theirs, atMost, key = 'p50us') => ({
  title,
  ours,
  theirs,
  otherTitle: title,
  key,
  atMost,
})
const absolute = (title, ours, key, atMost) => ({ title, ours, key, atMost })
const accepts = (title, ours, theirs, atLeast, otherTitle = title) => ({
  ...faster(title, ours, theirs, atLeast, otherTitle),
  key: 'connectionsPerSecond',
})

const large = ['64 KiB', '1 MiB'].flatMap((size) =>
  ['tcp', 'ipc'].flatMap((transport) => [
    faster(push(transport, size), OURS, 'raw-c', 0.85),
    ...['nanomsg', 'zeromq', 'net'].map((peer) => faster(push(transport, size), OURS, peer, 1.5)),
  ]),
)

const overWebSocket = ['64 B', '64 KiB'].flatMap((size) => [
  faster(push('ws', size), OURS, 'ws', 5),
  faster(push('ws', size), OURS, 'libnanomsg-c', 3),
])

const inC = ['tcp', 'ipc'].flatMap((transport) => [
  faster(push(transport, '64 B'), IN_C, 'libnanomsg-c', 8),
  faster(push(transport, '64 B'), IN_C, 'libzmq-c', 1),
  shorter(trip(transport, '64 B'), IN_C, 'libnanomsg-c', 0.4),
])

const TARGETS = [
  faster(push('tcp', '64 B'), EACH, 'zeromq', 15),
  faster(push('tcp', '64 B'), EACH, 'net', 0.8),
  faster(push('tcp', '64 B'), EACH, 'libzmq-c', 1.2),
  faster(push('tcp', '64 B'), OURS, 'zeromq', 30),
  faster(push('tcp', '64 B'), OURS, 'net', 1.5),
  faster(push('tcp', '64 B'), OURS, 'libzmq-c', 2.5),
  faster(push('tcp', '64 B'), OURS, 'raw-c', 0.3),
  shorter(trip('tcp', '64 B'), OURS, 'net', 1),
  shorter(trip('tcp', '64 B'), OURS, 'zeromq', 0.35),
  shorter(trip('tcp', '64 B'), OURS, 'nanomsg', 0.25),
  shorter(trip('tcp', '64 B'), OURS, 'zeromq', 1, 'p99us'),
  shorter('REQ/REP tcp 64 B x100', OURS, 'zeromq', 0.7),
  shorter('REQ/REP tcp 64 B x100', OURS, 'zeromq', 1, 'p99us'),
  ...large,
  faster(push('inproc', '64 B'), OURS, 'zeromq', 20),
  faster(push('threads', '64 B'), OURS, 'postmessage', 10),
  faster(toAndFro('1 MiB'), TRANSFER, 'postmessage', 5),
  faster(toAndFro('1 MiB'), TRANSFER, 'postmessage-transfer', 1),
  faster(toAndFro('1 MiB'), TRANSFER, TRANSFER, 0.9, toAndFro('64 KiB')),
  ...overWebSocket,
  { title: 'PUB→SUB 1000', ours: 'zeromq', theirs: OURS, otherTitle: 'PUB→SUB 1000', key: 'cpuUs', atLeast: 3 },
  faster('in flight 1000', OURS, OURS, 10, 'in flight 1'),
  faster('in flight 10000', OURS, OURS, 0.9, 'in flight 1000'),
  ...inC,
  faster(push('threads', '64 B'), IN_C, 'libnanomsg-c', 10),
  faster(push('threads', '64 B'), IN_C, 'libzmq-c', 1),
  shorter(trip('threads', '64 B'), IN_C, 'libnanomsg-c', 0.4),
  ...[OURS, IN_C].flatMap((ours) =>
    [1000, 10_000].map((count) => absolute(`idle connections ${count}`, ours, 'bytesPerConnection', 1024)),
  ),
  accepts('connections 1000', OURS, 'net', 1),
  accepts('connections 10000', OURS, 'net', 1),
  accepts('connections 10000', OURS, OURS, 0.9, 'connections 1000'),
  faster('fan-in 1000', OURS, OURS, 0.9, 'fan-in 1'),
  faster('subscriptions 100000', OURS, OURS, 0.5, 'subscriptions 1'),
  { ...shorter('subscriptions 100000', OURS, OURS, 2, 'cpuUs'), otherTitle: 'subscriptions 1' },
]

/** The median over the rounds of the two figures' ratio; of the figure itself where there is no second one. */
function measured(results, { title, otherTitle, ours, theirs, key }) {
  const own = figuresOf(results, title, ours, key)
  if (theirs === undefined) return median(own)
  const others = figuresOf(results, otherTitle, theirs, key)
  return median(own.map((value, i) => value / (others[i] ?? Number.NaN)))
}

const nameOf = ({ title, otherTitle, ours, theirs, key }) => {
  if (theirs === undefined) return `${title}: ${ours}, ${key}`
  return `${title}: ${ours} / ${theirs}${otherTitle === title ? '' : ` ${otherTitle}`}, ${key}`
}

/** @returns a table of the targets that the run has figures for */
export function targets(results) {
  const lines = ['', '**Targets**', '', '| | target | measured | |', '|---|---|---|---|']
  for (const target of TARGETS) {
    const value = measured(results, target)
    if (Number.isNaN(value)) continue
    const isMet = target.atLeast !== undefined ? value >= target.atLeast : value <= target.atMost
    const bound = target.atLeast !== undefined ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`
    lines.push(`| ${nameOf(target)} | ${bound} | ${ratio(value)} | ${isMet ? 'met' : '**missed**'} |`)
  }
  return lines.join('\n')
}
