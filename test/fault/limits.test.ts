/** Limits that a server sets: a peer that is one too many is disconnected, and the others notice nothing. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Pull, Push } from 'nanomsg-native'
import { expect, test } from 'vitest'
import { until } from '../api/support.js'

const handshake = Buffer.from([0, 0x53, 0x50, 0, 0, 0x50, 0, 0])

function stranger(address: string): Socket {
  const socket = connect(Number(new URL(address.replace('tcp', 'http')).port), '127.0.0.1')
  socket.on('error', () => {})
  return socket
}

test('a peer beyond maxConnections is rejected, and gets in when another has left', async () => {
  await using pull = new Pull({ maxConnections: 1 })
  const { address } = pull.bind('tcp://127.0.0.1:0')
  const rejected = once(pull, 'reject')
  await using first = new Push()
  first.connect(address)
  await first.send('first')
  expect(String(await pull.receive())).toBe('first')
  await using second = new Push({ reconnectInterval: 10 })
  second.connect(address)
  const [{ error }] = await rejected
  expect(error.code).toBe('EMLINK')
  expect(error.message).toContain('the socket has as many connections as it may have')
  expect(pull.stats()).toMatchObject({ peerConnections: 1, currentConnections: 1 })
  await first.close()
  await second.send('second')
  expect(String(await pull.receive())).toBe('second')
  expect(pull.stats().rejectedConnections).toBeGreaterThan(0)
})

test('a hundred silent strangers do not keep a peer out', async () => {
  await using pull = new Pull({ maxHandshakes: 20 })
  const { address } = pull.bind('tcp://127.0.0.1:0')
  const strangers = Array.from({ length: 100 }, () => stranger(address))
  await until(() => pull.stats().acceptedConnections >= 50)
  await using push = new Push()
  push.connect(address)
  await push.send('through')
  expect(String(await pull.receive())).toBe('through')
  expect(pull.stats().handshakes).toBeLessThanOrEqual(20)
  for (const socket of strangers) socket.destroy()
  await until(() => pull.stats().peerConnections === 1)
  expect(pull.stats()).toMatchObject({ handshakes: 0, currentConnections: 1 })
})

test('peers that stop in their messages hold no more than maxUnfinishedBytes, and others get through', async () => {
  const limit = 2 * 1024 * 1024
  await using pull = new Pull({ maxUnfinishedBytes: limit })
  const { address } = pull.bind('tcp://127.0.0.1:0')
  const part = Buffer.alloc(600_000)
  part.writeBigUInt64BE(1_000_000n)
  const strangers = Array.from({ length: 12 }, () => stranger(address))
  for (const socket of strangers) {
    socket.write(handshake)
    socket.write(part)
  }
  await until(() => pull.stats().unfinishedBytes > limit / 2)
  await using push = new Push()
  push.connect(address)
  let most = 0
  const watch = setInterval(() => {
    most = Math.max(most, pull.stats().unfinishedBytes)
  }, 5)
  for (let i = 0; i < 4; i++) await push.send(Buffer.alloc(1_000_000, i))
  for (let i = 0; i < 4; i++) expect((await pull.receive())[999_999]).toBe(i)
  clearInterval(watch)
  expect(most).toBeLessThan(limit + 2_200_000)
  for (const socket of strangers) socket.destroy()
  await until(() => pull.stats().unfinishedBytes === 0)
})
