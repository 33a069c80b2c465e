// The table of what a library for macOS exports: a tree whose edges are parts of names.

/** Offsets have a fixed length, so that a node's place does not depend on what follows. */
const OFFSET_BYTES = 4

function readNumber(bytes, place) {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[place.at++]
    value += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) return value
  }
}

/** `[name, what stands there]` of each export. */
export function* readExports(trie, offset = 0, prefix = '') {
  if (trie.length === 0) return
  const place = { at: offset }
  const size = readNumber(trie, place)
  if (size > 0) yield [prefix, trie.subarray(place.at, place.at + size)]
  place.at += size
  for (let left = trie[place.at++]; left > 0; left--) {
    const end = trie.indexOf(0, place.at)
    const edge = trie.toString('latin1', place.at, end)
    place.at = end + 1
    yield* readExports(trie, readNumber(trie, place), prefix + edge)
  }
}

function commonPrefix(names) {
  let length = 0
  while (length < names[0].length && names.every((name) => name[length] === names[0][length])) length++
  return names[0].slice(0, length)
}

/** What follows each edge from here, by its first letter. */
function edgesOf(entries) {
  const groups = new Map()
  for (const [name, value] of entries)
    if (name !== '') groups.set(name[0], [...(groups.get(name[0]) ?? []), [name, value]])
  return [...groups.values()].map((group) => {
    const edge = commonPrefix(group.map(([name]) => name))
    return { edge, rest: group.map(([name, value]) => [name.slice(edge.length), value]) }
  })
}

function fixedNumber(value) {
  const bytes = Array.from({ length: OFFSET_BYTES }, (_, i) => ((value >>> (7 * i)) & 0x7f) | 0x80)
  bytes[OFFSET_BYTES - 1] &= 0x7f
  return Buffer.from(bytes)
}

/** The table of these entries, as readExports gives them. */
export function writeExports(entries, start = 0) {
  const own = entries.find(([name]) => name === '')?.[1] ?? Buffer.alloc(0)
  const edges = edgesOf(entries)
  const headBytes = edges.reduce((sum, { edge }) => sum + edge.length + 1 + OFFSET_BYTES, 1 + own.length + 1)
  const head = [Buffer.from([own.length]), own, Buffer.from([edges.length])]
  const below = []
  let next = start + headBytes
  for (const { edge, rest } of edges) {
    const node = writeExports(rest, next)
    head.push(Buffer.from(`${edge}\0`), fixedNumber(next))
    below.push(node)
    next += node.length
  }
  return Buffer.concat([...head, ...below])
}
