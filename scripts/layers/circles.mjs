// Circles of a graph that is given by its edges.

/** The shortest way from a node over at least one edge to another, or undefined. */
function wayBetween(from, to, next) {
  const cameFrom = new Map()
  const queue = [from]
  for (const node of queue) {
    for (const other of next.get(node) ?? []) {
      if (cameFrom.has(other)) continue
      cameFrom.set(other, node)
      if (other !== to) {
        queue.push(other)
        continue
      }
      const way = [to]
      do way.unshift(cameFrom.get(way[0]))
      while (way[0] !== from)
      return way
    }
  }
  return undefined
}

/** One circle through each node that lies on any and not on one that was found before: lists of nodes that end where
 * they begin. */
export function circles(edges) {
  const next = new Map()
  for (const [from, to] of edges) next.set(from, (next.get(from) ?? new Set()).add(to))
  const seen = new Set()
  const found = []
  for (const node of next.keys()) {
    const circle = seen.has(node) ? undefined : wayBetween(node, node, next)
    if (circle === undefined) continue
    found.push(circle)
    for (const member of circle) seen.add(member)
  }
  return found
}
