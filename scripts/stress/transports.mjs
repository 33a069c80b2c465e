/** What hostile peers need of each transport: a stream of bytes to a server, and the words that are said on it. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import tls from 'node:tls'

/** Numbers of protocols, as greetings carry them. */
export const PROTOCOLS = { sub: 0x21, req: 0x30, push: 0x50 }

/** What a peer of each type asks a WebSocket server to be. */
const SUBPROTOCOLS = { sub: 'pub', req: 'rep', push: 'pull' }

export const TRANSPORTS = {
  tcp: { bind: () => 'tcp://127.0.0.1:0' },
  ipc: { bind: () => `ipc://${join(tmpdir(), `nn-stress-${process.pid}`)}`, isLocal: true },
  ws: { bind: () => 'ws://127.0.0.1:0/stress', isWebSocket: true },
  'tls+tcp': { bind: () => 'tls+tcp://127.0.0.1:0', isTls: true },
  wss: { bind: () => 'wss://127.0.0.1:0/stress', isWebSocket: true, isTls: true },
}

/** Makes a certificate of a server by the command openssl. */
export function makeCertificate(folder) {
  const [cert, key] = [join(folder, 'stress.crt'), join(folder, 'stress.key')]
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key]
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  execFileSync('openssl', ['req', '-x509', ...newKey, '-out', cert, '-days', '2', ...names], { stdio: 'ignore' })
  return { cert: readFileSync(cert, 'latin1'), key: readFileSync(key, 'latin1') }
}

/** The bytes of a first record that a client of TLS sends. */
export function clientHello() {
  return new Promise((resolve) => {
    const socket = new Duplex({ read() {}, write: (bytes) => resolve(bytes) })
    tls.connect({ socket, servername: 'localhost' }).on('error', () => {})
  })
}

function pathOrPort(address) {
  if (address.startsWith('ipc://')) return { path: address.slice('ipc://'.length) }
  return { port: Number(/:(\d+)/.exec(address.slice(address.indexOf('//')))[1]), host: '127.0.0.1' }
}

const settled = (stream, event) =>
  new Promise((resolve, reject) => {
    stream.once(event, () => resolve(stream))
    stream.once('close', () => reject(new Error('closed')))
  })

/** A server as its enemies see it: `transport` is one of TRANSPORTS. */
export class Target {
  #hold

  /** @param hold is given each stream as soon as there is one, and ends it when it is time */
  constructor(name, address, hold) {
    this.address = address
    this.transport = TRANSPORTS[name]
    this.#hold = hold
  }

  /** Connects without a word, below TLS. */
  async openPlain() {
    const stream = net.connect({ ...pathOrPort(this.address), noDelay: true })
    this.#hold(stream)
    stream.on('error', () => {}) // being reset is what such peers must expect
    return settled(stream, 'connect')
  }

  /** Connects without a word, inside of TLS where the transport has it. */
  async open() {
    const plain = await this.openPlain()
    if (!this.transport.isTls) return plain
    const stream = tls.connect({ socket: plain, rejectUnauthorized: false })
    this.#hold(stream)
    stream.on('error', () => {})
    return settled(stream, 'secureConnect')
  }

  /** What a peer of this type says first. */
  greeting(type) {
    if (!this.transport.isWebSocket) return Buffer.from([0, 0x53, 0x50, 0, 0, PROTOCOLS[type], 0, 0])
    const { host, pathname } = new URL(this.address.replace(/^wss?:/, 'http:'))
    return Buffer.from(
      `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c3RyZXNzIHN0cmVzcyBzdA==\r\n' +
        `Sec-WebSocket-Protocol: ${SUBPROTOCOLS[type]}.sp.nanomsg.org\r\n\r\n`,
    )
  }

  /** What comes before a body of this length, which may be a lie. The mask of WebSocket is zeros. */
  prefix(bytes) {
    const length = Buffer.alloc(8)
    length.writeBigUInt64BE(BigInt(bytes))
    if (this.transport.isLocal) return Buffer.concat([Buffer.from([1]), length])
    if (!this.transport.isWebSocket) return length
    const mask = Buffer.alloc(4)
    if (bytes < 126) return Buffer.concat([Buffer.from([0x82, 0x80 | Number(bytes)]), mask])
    if (bytes > 0xffff) return Buffer.concat([Buffer.from([0x82, 0xff]), length, mask])
    return Buffer.concat([Buffer.from([0x82, 0xfe]), length.subarray(6), mask])
  }

  /** Says what it is, and returns when the server has answered. */
  async openAdmitted(type) {
    const stream = await this.open()
    stream.write(this.greeting(type))
    await settled(stream, 'data')
    stream.resume()
    return stream
  }
}

/** The body that an honest sender of this number sends. */
export function bodyOf(number, bytes) {
  const first = Buffer.alloc(4)
  first.writeUInt32BE(number)
  return Buffer.alloc(bytes, first)
}
