/** Certificates that are renewed while connections live. */
import { copyFileSync } from 'node:fs'
import { Bus, type ConnectEvent, Pull, Push, type TlsOptions } from 'nanomsg-native'
import { expect, test } from 'vitest'
import { failureOf, until } from '../api/support.js'
import { authority, ca, certified, describeTls, fileIn, ofClient, ofServer, server } from './certificates.js'

const next = authority('next')
const renewed = certified(next, 'renewed', 'DNS:localhost,IP:127.0.0.1')
const ofRenewed = { cert: renewed.cert, key: renewed.key }

/** The serial number of the certificate that the server of an address shows to a new peer, and who trusts it. */
async function shownBy(address: string, tls: TlsOptions): Promise<string> {
  await using push = new Push({ tls })
  const seen = new Promise<string>((resolve) => {
    push.on('connect', ({ certificate }) => resolve(certificate?.subject ?? ''))
    push.on('reject', ({ error }) => resolve(error.code))
  })
  push.connect(address)
  return await seen
}

describeTls.each(['tls+tcp://127.0.0.1:0', 'wss://127.0.0.1:0/'])('setTls() at %s', (anyPort) => {
  test('is for new connections, and leaves those that there are', async () => {
    await using pull = new Pull({ tls: ofServer })
    await using push = new Push({ tls: ofClient })
    const { address } = pull.bind(anyPort)
    const ends: string[] = []
    push.on('disconnect', ({ reason }) => ends.push(reason))
    push.connect(address)
    await push.send('before')
    expect(String(await pull.receive())).toBe('before')
    pull.setTls(ofRenewed)
    expect(pull.tls).toEqual(ofRenewed)
    expect(await shownBy(address, { ca: next.cert })).toBe('CN=renewed')
    expect(await shownBy(address, { ca: ca.cert })).toBe('EACCES')
    await push.send('after')
    expect(String(await pull.receive())).toBe('after')
    expect(ends).toEqual([])
  })

  test('reads files again', async () => {
    const [certFile, keyFile] = [fileIn('live.crt', server.cert), fileIn('live.key', server.key)]
    await using pull = new Pull({ tls: { cert: certFile, key: keyFile } })
    const { address } = pull.bind(anyPort)
    copyFileSync(renewed.certFile, certFile)
    copyFileSync(renewed.keyFile, keyFile)
    expect(await shownBy(address, { ca: ca.cert })).toBe('CN=server')
    pull.setTls(pull.tls)
    expect(await shownBy(address, { ca: next.cert })).toBe('CN=renewed')
  })

  test('changes nothing when the certificate is of no use', async () => {
    await using pull = new Pull({ tls: ofServer })
    const { address } = pull.bind(anyPort)
    const error = await failureOf(() => pull.setTls({ cert: renewed.cert, key: server.key }))
    expect(error).toMatchObject({ code: 'EINVAL', syscall: 'bind' })
    expect(pull.tls).toEqual(ofServer)
    expect(await shownBy(address, { ca: ca.cert })).toBe('CN=server')
  })

  test('changes no endpoint when one of them cannot follow', async () => {
    await using center = new Bus({ tls: { ...ofServer, ca: ca.cert, requireClientCertificate: true } })
    await using bus = new Bus({ tls: { ...ofServer, ca: ca.cert }, reconnectInterval: 10 })
    const events = center.events()
    bus.connect(center.bind(anyPort).address)
    bus.bind(anyPort)
    const { value: connected } = await events.next()
    const error = await failureOf(() => bus.setTls({ ca: ca.cert }))
    expect(error).toMatchObject({ code: 'EINVAL', syscall: 'bind' })
    center.disconnect(connected as ConnectEvent)
    expect((await events.next()).value).toMatchObject({ type: 'disconnect' })
    expect((await events.next()).value).toMatchObject({ type: 'connect' })
  })

  test('lets a socket that connects trust another authority', async () => {
    await using pull = new Pull({ tls: ofRenewed })
    await using push = new Push({ tls: ofClient, reconnectInterval: 10 })
    let rejections = 0
    push.on('reject', () => rejections++)
    push.connect(pull.bind(anyPort).address)
    await until(() => rejections > 0)
    push.setTls({ ca: next.cert })
    await push.ready({ timeout: 20000 })
  })
})

test('setTls() says nothing to endpoints without TLS', async () => {
  await using pull = new Pull()
  pull.bind('tcp://127.0.0.1:0')
  pull.setTls({ verify: false })
  expect(pull.tls).toEqual({ verify: false })
})
