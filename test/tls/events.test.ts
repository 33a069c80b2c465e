/** Events of connections that are encrypted. */
import { X509Certificate } from 'node:crypto'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { Pull, Push, Rep, Req, type SocketEvent, type TlsOptions } from 'nanomsg-native'
import { expect, test } from 'vitest'
import { ca, client, describeTls, expired, ofClient, ofServer, server, stranger } from './certificates.js'

async function next<Type extends SocketEvent['type']>(events: AsyncIterator<SocketEvent>, type: Type) {
  for (;;) {
    const { value, done } = await events.next()
    if (done) throw new Error(`the events have ended before ${type}`)
    if (value.type === type) return value as SocketEvent & { type: Type }
  }
}

describeTls.each(['tls+tcp://127.0.0.1:0', 'wss://127.0.0.1:0/path'])('at %s', (address) => {
  const scheme = address.split(':')[0]

  test('both sides are told whom they are connected with, and that we leave', async () => {
    await using pull = new Pull({ tls: ofServer })
    await using push = new Push({ tls: ofClient })
    const ofPull = pull.events()
    const ofPush = push.events()
    const endpoint = push.connect(pull.bind(address).address)
    const accepted = await next(ofPull, 'connect')
    const connected = await next(ofPush, 'connect')
    expect(accepted.remoteAddress).toBe(connected.localAddress)
    expect(accepted.localAddress).toBe(connected.remoteAddress)
    expect(accepted.remoteAddress).toMatch(new RegExp(`^${scheme?.replace('+', '\\+')}://127\\.0\\.0\\.1:\\d+$`))
    endpoint.close()
    expect(await next(ofPush, 'disconnect')).toMatchObject({ pipe: connected.pipe, reason: 'closed' })
    expect(await next(ofPull, 'disconnect')).toMatchObject({ pipe: accepted.pipe, reason: 'left' })
  })

  test('a peer that does not accept our certificate is rejected, and rejects us', async () => {
    await using pull = new Pull({ tls: ofServer })
    await using push = new Push({ tls: { serverName: 'localhost' } })
    const ofPull = pull.events()
    const ofPush = push.events()
    const endpoint = push.connect(pull.bind(address).address)
    expect(await next(ofPush, 'reject')).toMatchObject({
      address: endpoint.address,
      protocol: undefined,
      error: { code: 'EACCES' },
    })
    const { error, remoteAddress } = await next(ofPull, 'reject')
    expect(error.syscall).toBe('reject')
    expect(remoteAddress).toMatch(/:\/\/127\.0\.0\.1:\d+$/)
  })

  test('both read the certificate of the other', async () => {
    await using pull = new Pull({ tls: { ...ofServer, ca: ca.cert, requireClientCertificate: true } })
    await using push = new Push({ tls: { ...ofClient, cert: client.cert, key: client.key } })
    const ofPull = pull.events()
    const ofPush = push.events()
    const endpoint = push.connect(pull.bind(address).address)
    const { certificate: ofTheirs } = await next(ofPull, 'connect')
    expect(ofTheirs).toMatchObject({ subject: 'CN=client', subjectAltName: 'DNS:client', issuer: 'CN=authority' })
    expect(ofTheirs!.toString()).toBe(new X509Certificate(client.cert).toString())
    const { certificate: ofOurs } = await next(ofPush, 'connect')
    expect(ofOurs!.raw.equals(new X509Certificate(server.cert).raw)).toBe(true)
    endpoint.close()
    expect((await next(ofPull, 'disconnect')).certificate!.subject).toBe('CN=client')
  })

  test('a Rep reads the certificate of its asker, without listeners to events', async () => {
    await using rep = new Rep({ tls: { ...ofServer, ca: ca.cert, requireClientCertificate: true } })
    await using req = new Req({ tls: { ...ofClient, cert: client.cert, key: client.key } })
    req.connect(rep.bind(address).address)
    void rep.serve((_, peer) => peer.certificate?.subject ?? 'nobody')
    expect(String(await req.request('who am I?'))).toBe('CN=client')
  })

  test('a client without a certificate has none', async () => {
    await using pull = new Pull({ tls: ofServer })
    await using push = new Push({ tls: ofClient })
    const events = pull.events()
    push.connect(pull.bind(address).address)
    expect(await next(events, 'connect')).toMatchObject({ certificate: undefined, credentials: undefined })
  })

  const required: TlsOptions = { ...ofServer, ca: ca.cert, requireClientCertificate: true }
  test.each<[string, TlsOptions, TlsOptions, string, string, string]>([
    [
      'an unknown server',
      ofServer,
      { serverName: 'localhost' },
      'EACCES',
      'unable to get local issuer certificate',
      'unknown ca',
    ],
    [
      'a server of another name',
      ofServer,
      { ca: ca.cert, serverName: 'example.org' },
      'EACCES',
      'hostname mismatch',
      'certificate unknown|bad certificate',
    ],
    [
      'a server at another number',
      ofServer,
      { ca: ca.cert, serverName: '127.0.0.2' },
      'EACCES',
      'IP address mismatch',
      'certificate unknown|bad certificate',
    ],
    [
      'an expired server',
      { cert: expired.cert, key: expired.key },
      ofClient,
      'EACCES',
      'certificate has expired',
      'certificate expired',
    ],
    [
      'a client without a certificate',
      required,
      ofClient,
      'EACCES',
      'certificate required|handshake failure',
      'peer did not return a certificate',
    ],
    [
      'a client of another authority',
      required,
      { ...ofClient, cert: stranger.cert, key: stranger.key },
      'EACCES',
      'unknown ca',
      'unable to get local issuer certificate',
    ],
  ])('%s: both are told what was wrong', async (_, serverTls, clientTls, code, atClient, atServer) => {
    await using pull = new Pull({ tls: serverTls })
    await using push = new Push({ tls: clientTls })
    const ofPull = pull.events()
    const ofPush = push.events()
    push.connect(pull.bind(address).address)
    const [seen, told] = [await next(ofPush, 'reject'), await next(ofPull, 'reject')]
    expect(seen.error).toMatchObject({ code, message: expect.stringMatching(`\\(.*(${atClient}).*\\)\\. `) })
    expect(told.error).toMatchObject({ code, message: expect.stringMatching(`\\(.*(${atServer}).*\\)\\. `) })
    expect(pull.stats().brokenConnections).toBeGreaterThan(0)
    expect(push.stats().connectErrors).toBeGreaterThan(0)
  })
})

describeTls('what is no TLS', () => {
  test.each([
    ['HTTP', 'GET / HTTP/1.1\r\n\r\n', 'http request'],
    ['SP over tcp', Buffer.from([0, 0x53, 0x50, 0, 0, 80, 0, 0]), 'wrong version number|bad record|packet length'],
    ['TLS 1.1', { maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1' } as const, 'unsupported protocol'],
  ])('is refused with words for it: %s', async (_, handshake, problem) => {
    await using pull = new Pull({ tls: ofServer })
    const events = pull.events()
    const port = Number(pull.bind('tls+tcp://127.0.0.1:0').address.split(':')[2])
    const isTls = typeof handshake === 'object' && 'maxVersion' in handshake
    const peer = isTls
      ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ciphers: 'ALL:@SECLEVEL=0', ...handshake })
      : connect(port, '127.0.0.1').end(handshake)
    peer.on('error', () => {})
    expect((await next(events, 'reject')).error).toMatchObject({
      code: 'EPROTO',
      message: expect.stringMatching(`\\(.*(${problem}).*\\)\\. `),
    })
    peer.destroy()
  })
})
