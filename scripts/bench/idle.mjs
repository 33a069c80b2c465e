/** Connections that only do the handshake, made of plain sockets: what a server keeps for each of them is all its
 * own. */
import net from 'node:net'

const SP_PUSH = Buffer.from([0, 0x53, 0x50, 0, 0, 0x50, 0, 0])

/** ZMTP 3.0, security NULL: what both sides say before messages. */
const ZMTP_HANDSHAKE = Buffer.concat([
  Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0]),
  Buffer.from('NULL'.padEnd(20, '\0')),
  Buffer.alloc(32),
])
const ZMTP_READY = Buffer.concat([
  Buffer.from([4, 26]),
  Buffer.from('\x05READY\x0bSocket-Type\0\0\0\x04PUSH', 'latin1'),
])

/** What a client says, and how many bytes the server answers. */
export const HANDSHAKES = {
  sp: { says: SP_PUSH, hears: SP_PUSH.length },
  zmtp: { says: Buffer.concat([ZMTP_HANDSHAKE, ZMTP_READY]), hears: ZMTP_HANDSHAKE.length + ZMTP_READY.length },
  none: { says: Buffer.alloc(0), hears: 0 },
}

function connectIdle(port, { says, hears }) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1')
    let heard = 0
    const hear = (bytes) => {
      heard += bytes
      if (heard >= hears) resolve(socket)
    }
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('an idle connection was closed')))
    socket.on('connect', () => {
      socket.write(says)
      hear(0)
    })
    socket.on('data', (data) => hear(data.length))
  })
}

/** How many are opened at a time: fewer than any backlog. */
const AT_A_TIME = 50

export async function openIdle(address, count, handshake) {
  const port = Number(new URL(address.replace('tcp:', 'http:')).port)
  const sockets = []
  while (sockets.length < count) {
    const next = Math.min(AT_A_TIME, count - sockets.length)
    sockets.push(...(await Promise.all(Array.from({ length: next }, () => connectIdle(port, HANDSHAKES[handshake])))))
  }
  return {
    close: () => {
      for (const socket of sockets) socket.removeAllListeners('close').destroy()
    },
  }
}
