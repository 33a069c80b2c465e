/** A peer that speaks the protocol by itself, and reads only when it is told to. */
import { connect } from 'node:net'
import type { ConnectEvent, Socket } from 'nanomsg-native'
import { until } from './support.js'

type ProtocolName = ConnectEvent['protocol']

const numbers: Partial<Record<ProtocolName, number>> = {
  pub: 32,
  sub: 33,
  req: 48,
  rep: 49,
  surveyor: 98,
  respondent: 99,
  bus: 112,
}

export interface Stalled {
  read(): void
  stop(): void
  /** Sends a message. */
  write(body: Uint8Array): void
  leave(): void
  /** Whether the connection has ended, as far as one can know who does not read. */
  readonly ended: Promise<void>
}

/** Connects to an address of tcp or ipc as a socket of this type, and waits until it is admitted. */
export async function stalledPeer(socket: Socket, address: string, protocol: ProtocolName): Promise<Stalled> {
  const [, port] = /^tcp:.*:(\d+)$/.exec(address) ?? []
  const before = socket.stats().currentConnections
  const stream = connect(port === undefined ? { path: address.slice('ipc://'.length) } : { port: Number(port) })
  stream.on('error', () => {})
  const ended = new Promise<void>((resolve) => stream.on('close', () => resolve()))
  stream.pause()
  stream.write(Buffer.from([0, 0x53, 0x50, 0, 0, numbers[protocol]!, 0, 0]))
  await until(() => socket.stats().currentConnections > before)
  stream.on('data', () => {})
  stream.pause()
  return {
    read: () => stream.resume(),
    stop: () => stream.pause(),
    write(body) {
      const length = Buffer.alloc(8)
      length.writeBigUInt64BE(BigInt(body.length))
      stream.write(Buffer.concat([port === undefined ? Buffer.of(1) : Buffer.of(), length, body]))
    },
    leave: () => stream.destroy(),
    ended,
  }
}
