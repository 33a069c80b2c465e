/** So many turns of the event loop, and some more, are taken by a connection within the process until both ends are
 * there, also when it begins with a request over HTTP. */
const TURNS = 16

let turnsLeft = 0

function count(): void {
  if (--turnsLeft > 0) setImmediate(count)
}

/** Connections begin. In the npm package a thread makes them while the program goes on; here they need turns of the
 * event loop, and what is sent to whoever is there must not miss them when the program was busy until it was time to
 * send. */
export function connectionsBegin(): void {
  if (turnsLeft === 0) setImmediate(count)
  turnsLeft = TURNS
}

/** Calls back when the event loop has turned, and connections had their time to be made. */
export function onceSettled(callback: () => void): void {
  setImmediate(function turn() {
    if (turnsLeft > 0) setImmediate(turn)
    else callback()
  })
}
