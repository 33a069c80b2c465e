/**
 * Two schemes that carry connections over the standard input and output of a program:
 *
 *   command://node worker.js   starts the program, and again whenever it has ended
 *   stdio://                   is the other side, in that program
 *
 * `command://ssh host node worker.js` reaches a program on another machine, and needs no port there.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Duplex } from 'node:stream'
import { registerTransport } from 'nanomsg-native'

const restOf = (address: string): string => address.slice(address.indexOf('://') + 3)

registerTransport('command', {
  async connect(address) {
    const child = spawn(restOf(address), { shell: true, stdio: ['pipe', 'pipe', 'inherit'] })
    // To log in may take a while. The first that the other side says is its handshake, of which nothing is taken here.
    await once(child.stdout, 'readable')
    return Duplex.from({ readable: child.stdout, writable: child.stdin })
  },
})

registerTransport('stdio', {
  connect: () => Duplex.from({ readable: process.stdin, writable: process.stdout }),
})
