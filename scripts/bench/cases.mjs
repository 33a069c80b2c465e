/** What is measured: patterns by transports by sizes. */

const YARDSTICK_SIZES = { '64 B': 64, '1 KiB': 1024, '64 KiB': 65_536 }
/** Messages that two threads hand on to each other, a few of them at a time. */
export const TO_AND_FRO = 'to and fro'
const FIELD_SIZES = {
  '16 B': 16,
  '64 B': 64,
  '256 B': 256,
  '1 KiB': 1024,
  '4 KiB': 4096,
  '16 KiB': 16_384,
  '64 KiB': 65_536,
  '256 KiB': 262_144,
  '1 MiB': 1_048_576,
  '4 MiB': 4_194_304,
}
const SMALL = { size: '64 B', bytes: 64 }
/** The sizes of a short run: those that a target names, and one between them. */
const SHORT_BYTES = [64, 1024, 65_536, 1_048_576]

const bySize = (sizes, pattern, transport) =>
  Object.entries(sizes).map(([size, bytes]) => ({
    pattern,
    transport,
    size,
    bytes,
    title: `${pattern} ${transport} ${size}`,
  }))

const byCount = (pattern, counts) =>
  counts.map((count) => ({ pattern, transport: 'tcp', ...SMALL, count, title: `${pattern} ${count}` }))

/** Round trips of this many sockets in one process at the same time, one for each. */
const sideBySide = (count) => ({
  pattern: 'REQ/REP',
  transport: 'tcp',
  ...SMALL,
  count,
  title: `REQ/REP tcp 64 B x${count}`,
  row: `tcp, 64 B, ${count} sockets at a time`,
})

/** The short list, on which the default run stands. */
export const yardstickCases = ['PUSH→PULL', 'REQ/REP'].flatMap((pattern) =>
  ['tcp', 'ipc'].flatMap((transport) => bySize(YARDSTICK_SIZES, pattern, transport)),
)

/** What is run unless asked for otherwise. */
export const isYardstick = ({ transport, bytes }) => transport === 'tcp' && bytes <= 1024

/** Inproc is one thread, or two: then each peer has its own way of crossing. */
export const fieldCases = [
  ...['tcp', 'ipc', 'ws', 'inproc'].flatMap((transport) => bySize(FIELD_SIZES, 'PUSH→PULL', transport)),
  ...bySize(FIELD_SIZES, 'PUSH→PULL', 'threads'),
  ...bySize({ '64 KiB': 65_536, '1 MiB': 1_048_576 }, TO_AND_FRO, 'threads'),
  ...['tcp', 'ipc', 'ws', 'inproc', 'threads'].flatMap((transport) => bySize(FIELD_SIZES, 'REQ/REP', transport)),
  sideBySide(100),
  ...byCount('PUB→SUB', [100, 1000]),
  ...byCount('fan-in', [1, 100, 1000]),
  ...byCount('subscriptions', [1, 100_000]),
  ...byCount('in flight', [1, 1000, 10_000]),
  ...byCount('connections', [1000, 10_000]),
  ...byCount('idle connections', [1000, 10_000]),
  { pattern: 'start-up', transport: 'tcp', ...SMALL, title: 'start-up' },
]

/** What `--short` keeps of the field: a few sizes, and all that is no matter of size. */
export const isShort = ({ bytes, count }) => count !== undefined || SHORT_BYTES.includes(bytes)

/** Which processes take part: `binds` first, then `connects`; or one for both. */
export const ROLES = {
  'PUSH→PULL': { binds: 'pull', connects: 'push', meters: 'pull' },
  'REQ/REP': { binds: 'rep', connects: 'req', meters: 'req' },
  'PUB→SUB': { binds: 'pub', connects: 'subs', meters: 'subs' },
  'fan-in': { binds: 'pull', connects: 'pushers', meters: 'pull' },
  'in flight': { binds: 'service', connects: 'requests', meters: 'requests' },
  subscriptions: { binds: 'topics', connects: 'subscriptions', meters: 'subscriptions' },
  connections: { binds: 'accept' },
  'idle connections': { binds: 'pull' },
  'start-up': { alone: 'start-up' },
}

const FUNCTIONS = { subs: 'sub', pushers: 'push', topics: 'pub', subscriptions: 'filter', 'start-up': 'once' }

export function rolesOf({ pattern, transport }, peer) {
  if (transport !== 'inproc' && transport !== 'threads') return ROLES[pattern]
  const isRoundTrip = pattern === 'REQ/REP'
  if (pattern === TO_AND_FRO) return { alone: 'worker-to-and-fro' }
  if (peer.program !== undefined) return { alone: isRoundTrip ? 'req-rep' : 'push-pull' }
  return { alone: transport === 'threads' ? 'worker-push-pull' : isRoundTrip ? 'req-rep' : 'push-pull' }
}

/** These have no way into another thread of their process, or need one of their own. */
function canCross({ pattern, transport }, peer) {
  const isInC = peer.program !== undefined
  if (pattern === TO_AND_FRO) return 'throws' in peer
  if (transport === 'inproc') {
    return !isInC && peer.transports.includes('inproc') && (pattern !== 'REQ/REP' || 'req' in peer)
  }
  if (isInC) return peer.transports.includes('inproc')
  if (pattern === 'REQ/REP') return false
  return peer.name.startsWith('nanomsg-native') || peer.transports.includes('worker')
}

export function isPlayedBy(each, peer) {
  const { pattern, transport } = each
  if (transport === 'inproc' || transport === 'threads') return canCross(each, peer)
  if (!peer.transports.includes(transport)) return false
  if (pattern === 'idle connections' || pattern === 'connections') return peer.handshake !== undefined
  if (pattern === 'fan-in' && each.count > peer.mostSockets) return false
  if (peer.program !== undefined) return each.count === undefined && (pattern === 'PUSH→PULL' || pattern === 'REQ/REP')
  const { binds, connects, alone } = ROLES[pattern]
  return [binds, connects, alone].every((role) => role === undefined || (FUNCTIONS[role] ?? role) in peer)
}
