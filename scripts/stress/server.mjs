/** The server under attack, a process of its own. It answers honest clients with what they have sent. */
import { readdirSync, readFileSync } from 'node:fs'
import { Pull, Rep } from 'nanomsg-native'
import { answerWith } from './children.mjs'
import { PauseMeter } from './pauses.mjs'
import { bodyOf, TRANSPORTS } from './transports.mjs'

const pauses = new PauseMeter()
let socket

const memoryMiB = (name) =>
  Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'latin1'))[1]) / 1024)

answerWith({
  /** Opens a Rep that answers for ever. */
  serve(transport, credentials) {
    socket = new Rep(TRANSPORTS[transport].isTls ? { tls: credentials } : {})
    void socket.serve((body) => body)
    return socket.bind(TRANSPORTS[transport].bind()).address
  },

  /** Opens a Pull. */
  listen(transport, credentials) {
    socket = new Pull(TRANSPORTS[transport].isTls ? { tls: credentials } : {})
    return socket.bind(TRANSPORTS[transport].bind()).address
  },

  /** Receives a message of each sender, and returns how many have come as they were sent. */
  async receive(count, bytes, timeout) {
    const senders = new Set()
    try {
      for await (const message of socket.messages({ timeout })) {
        const number = message.readUInt32BE(0)
        if (message.equals(bodyOf(number, bytes))) senders.add(number)
        if (senders.size === count) break
      }
    } catch (error) {
      if (error.code !== 'ETIMEDOUT') throw error
    }
    return senders.size
  },

  /** What it has now, and how long it has paused since it was asked last. */
  look() {
    const { peerConnections, currentConnections, handshakes, unfinishedBytes } = socket.stats()
    const { longestMs } = pauses
    pauses.reset()
    return {
      descriptors: readdirSync('/proc/self/fd').length,
      connections: Math.max(peerConnections, currentConnections),
      handshakes,
      unfinishedBytes,
      memoryMiB: memoryMiB('VmRSS'),
      mostMemoryMiB: memoryMiB('VmHWM'),
      longestMs,
    }
  },
})
