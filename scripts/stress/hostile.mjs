/** Hostile peers, a process of their own. */
import { attacksOn, strangers } from './attacks.mjs'
import { answerWith } from './children.mjs'
import { Target, TRANSPORTS } from './transports.mjs'

/** Fewer than wait to be accepted. */
const ARRIVALS_AT_A_TIME = 100

const peers = new Set()
let isOver = false
let count = 0
let running = []

/** One life of a peer: what it has opened. It ends with its deed, or when the server has had enough of it. */
class Peer {
  #streams = []
  #target
  #leave
  #hasToLeave = new Promise((resolve) => {
    this.#leave = resolve
  })

  constructor(transport, address) {
    this.#target = new Target(transport, address, (stream) => {
      this.#streams.push(stream)
      stream.once('close', this.#leave)
    })
  }

  async live(act) {
    const failed = await Promise.race([act(this.#target), this.#hasToLeave]).then(
      () => false,
      () => true,
    )
    await Promise.all(
      this.#streams.map((stream) => {
        if (stream.closed) return undefined
        return new Promise((resolve) => stream.once('close', resolve).destroy())
      }),
    )
    // Nothing listens, or the queue of connections that wait to be accepted is full.
    if (failed) await new Promise((resolve) => setTimeout(resolve, 10))
  }

  leave() {
    this.#leave()
  }
}

async function repeat(transport, address, act) {
  while (!isOver) {
    const peer = new Peer(transport, address)
    peers.add(peer)
    count++
    await peer.live(act)
    peers.delete(peer)
  }
}

answerWith({
  begin(transport, address, name) {
    const attack = attacksOn(TRANSPORTS[transport]).find((each) => each.name === name)
    isOver = false
    count = 0
    running = Array.from({ length: attack.peers }, () => repeat(transport, address, attack.act))
  },

  /** As many strangers come, each kind of them in turn, and come back when they are thrown out. Returns when each has
   * come once. */
  async hold(transport, address, number) {
    const arrivals = []
    for (let i = 0; i < number; i++) {
      const act = strangers[i % strangers.length]
      const arrived = new Promise((resolve) => {
        running.push(repeat(transport, address, (target) => act(target, resolve)))
      })
      arrivals.push(arrived)
      if (i % ARRIVALS_AT_A_TIME === 0) await arrived
    }
    await Promise.all(arrivals)
  },

  /** All strangers leave. Returns how many there have been. */
  async end() {
    isOver = true
    for (const peer of peers) peer.leave()
    await Promise.all(running)
    return count
  },
})
