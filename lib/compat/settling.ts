/** The number of turns of the event loop in which a connection within the process is established at both ends, also
 * when it begins with a request over HTTP. */
const TURNS = 16

let turnsLeft = 0

function count(): void {
  if (--turnsLeft > 0) setImmediate(count)
}

/** Connections begin. In the npm package a thread makes them while the program goes on; here they need turns of the
 * event loop, and messages to all connected peers must reach them even when the program was busy until it was time
 * to send. */
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
