/** The option `tls`, and what errors say about it. */

import { once } from 'node:events'
import { constants } from 'node:os'
import { rootCertificates } from 'node:tls'
import { runInNewContext } from 'node:vm'
import { Pair } from 'nanomsg-native'
import { expect, test } from 'vitest'
import { errnoError } from '../../lib/engine/errors.js'
import { failureOf } from '../api/support.js'
import { ca, client, describeTls, fileIn, ofClient, ofServer, server } from './certificates.js'

const address = 'tls+tcp://127.0.0.1:0'

describeTls('the option tls', () => {
  test('can be read back, is replaced as a whole, and is a copy', async () => {
    await using pair = new Pair()
    expect(pair.tls).toEqual({})
    const given = { ...ofServer, verify: false }
    pair.tls = given
    given.verify = true
    expect(pair.tls).toEqual({ ...ofServer, verify: false })
    expect(Object.isFrozen(pair.tls)).toBe(true)
    pair.bind(address)
    pair.tls = {}
    expect((await failureOf(() => pair.bind(address))).code).toBe('EINVAL')
  })

  test.each([
    ['text', { cert: server.cert, key: server.key }, { ca: ca.cert }],
    [
      'bytes',
      { cert: Buffer.from(server.cert), key: Buffer.from(server.key) },
      { ca: new TextEncoder().encode(ca.cert) },
    ],
    ['names of files', { cert: server.certFile, key: server.keyFile }, { ca: ca.certFile }],
    [
      'what is said to be text',
      { cert: { pem: server.cert }, key: { pem: Buffer.from(server.key) } },
      { ca: [{ pem: ca.cert }] },
    ],
    [
      'what is said to be a file',
      { cert: { file: server.certFile }, key: { file: server.keyFile } },
      { ca: { file: ca.certFile } },
    ],
    ['one file', { cert: fileIn('both.pem', server.key + server.cert) }, { ca: [Buffer.from(ca.cert)] }],
    ['one of many authorities', ofServer, { ca: [...rootCertificates, ca.cert] }],
  ])('takes %s', async (_, ofBound, ofConnecting) => {
    await using bound = new Pair({ tls: ofBound })
    await using connecting = new Pair({ tls: ofConnecting })
    connecting.connect(bound.bind(address).address)
    await connecting.send('hello')
    expect((await bound.receive()).toString()).toBe('hello')
  })

  test.each<[unknown, string]>([
    [null, 'tls must be an object'],
    ['cert.pem', 'tls must be an object'],
    [
      { certificate: 'cert.pem' },
      'one of cert, key, ca, verify, serverName, requireClientCertificate, not "certificate"',
    ],
    [
      { cert: 7 },
      'tls.cert must be PEM text, or the name of a file with it (without line breaks), or { pem } or { file }, not 7',
    ],
    [{ key: 'MIIEvQ\nIBADAN\n' }, 'tls.key must be PEM text, or the name of a file with it (without line breaks)'],
    [{ ca: '/etc/passwd\r' }, 'without line breaks'],
    [{ ca: { pem: '/etc/passwd' } }, 'tls.ca must be PEM text'],
    [{ ca: [{ pem: '/etc/passwd' }] }, 'tls.ca must be PEM text'],
    [{ ca: [{ file: ca.certFile }] }, 'tls.ca must be PEM text'],
    [{ cert: { file: server.cert } }, 'tls.cert must be PEM text'],
    [{ cert: { file: '-----BEGIN CERTIFICATE-----' } }, 'tls.cert must be PEM text'],
    [{ cert: { file: '' } }, 'tls.cert must be PEM text'],
    [{ cert: { file: 7 } }, 'tls.cert must be PEM text'],
    [{ cert: { file: server.certFile, pem: server.cert } }, 'tls.cert must be PEM text'],
    [{ cert: Object.create({ file: server.certFile }) }, 'tls.cert must be PEM text'],
    [{ serverName: '.example.org' }, 'tls.serverName must be the name of a host, without a dot at its start'],
    [{ cert: '' }, 'tls.cert must be PEM'],
    [{ cert: 'a\0b' }, 'tls.cert must be PEM'],
    [{ key: Buffer.from('no PEM') }, 'tls.key must be PEM'],
    [{ ca: [] }, 'or an array of PEM texts'],
    [{ ca: ['ca.pem'] }, 'or an array of PEM texts'],
    [{ ca: ca.cert + 'x'.repeat(2 ** 20) }, 'or an array of PEM texts'],
    [{ verify: 1 }, 'tls.verify must be true or false, not 1'],
    [{ serverName: 1 }, 'tls.serverName must be the name of a host, without a dot at its start, not 1'],
    [{ requireClientCertificate: 'yes' }, 'tls.requireClientCertificate must be true or false'],
  ])('cannot be %j', async (value, message) => {
    await using pair = new Pair({ tls: ofClient })
    const error = await failureOf(() => Reflect.set(pair, 'tls', value))
    expect(error.code).toBe('EINVAL')
    expect(error.message).toContain(message)
    expect(pair.tls).toEqual(ofClient)
    expect((await failureOf(() => new Pair({ tls: value as never }))).code).toBe('EINVAL')
  })

  test('takes bytes of any realm, and refuses what only looks like bytes', async () => {
    await using pair = new Pair()
    const foreign = runInNewContext('(bytes) => Uint8Array.from(bytes)')([...Buffer.from(ca.cert)]) as Uint8Array
    for (const value of [foreign, [foreign], { pem: foreign }]) pair.tls = { ca: value }
    const gone = Uint8Array.from(foreign)
    structuredClone(gone, { transfer: [gone.buffer] })
    for (const value of [gone, new Proxy(Buffer.from(ca.cert), {}), Object.create(Buffer.prototype)]) {
      for (const given of [value, [value], { pem: value }]) {
        expect((await failureOf(() => (pair.tls = { ca: given }))).code).toBe('EINVAL')
      }
    }
  })

  test('is not what objects inherit', async () => {
    await using bound = new Pair({ tls: ofServer })
    const inherited = { ca: ca.cert, verify: false, serverName: 'localhost' }
    await using connecting = new Pair({ tls: Object.create(inherited) as object })
    connecting.connect(bound.bind(address).address)
    const [rejected] = (await once(connecting, 'reject')) as [{ error: Error }]
    expect(rejected.error.message).toContain('EACCES')
  })

  test('keeps what could be a key out of messages', async () => {
    const secret = `${'x'.repeat(2 ** 20)}secret`
    const error = await failureOf(() => new Pair({ tls: { key: secret } }))
    expect(error.message).not.toContain('xxx')
  })
})

describeTls('an error', () => {
  test.each<[string, 'bind' | 'connect', object, string, RegExp]>([
    ['no certificate', 'bind', {}, 'EINVAL', /The option tls needs cert and its key/],
    ['no key', 'bind', { cert: server.cert }, 'EINVAL', /needs cert and its key/],
    ['the key of another', 'bind', { cert: server.cert, key: client.key }, 'EINVAL', /needs cert and its key/],
    ['damaged PEM', 'connect', { ca: '-----BEGIN CERTIFICATE-----\nx\n' }, 'EINVAL', /ca, cert and its key are PEM/],
    ['no authority', 'bind', { ...ofServer, requireClientCertificate: true }, 'EINVAL', /requireClientCertificate ca/],
    ['no such file', 'bind', { ...ofServer, key: '/no/such/file' }, 'ENOENT', /names a file, which must exist/],
    ['no such file', 'connect', { ca: '/no/such/file' }, 'ENOENT', /names a file, which must exist/],
    ['which file', 'connect', { ca: '/no/such/file' }, 'ENOENT', /5555", tls\.ca "\/no\/such\/file"/],
    ['which file', 'connect', { ca: { file: '/no/such/file' } }, 'ENOENT', /, tls\.ca "\/no\/such\/file"/],
    ['a folder', 'bind', { ...ofServer, cert: '/' }, 'EISDIR', /, tls\.cert "\/"/],
    // It may be a key without the lines around it.
    ['which key', 'bind', { ...ofServer, key: 'MIIEvQIBADAN' }, 'ENOENT', /, tls\.key\. /],
  ])('tells what to do about %s in %s()', async (_, call, tls, code, message) => {
    await using pair = new Pair({ tls })
    const error = await failureOf(() => pair[call]('tls+tcp://127.0.0.1:5555'))
    expect([error.code, error.syscall]).toEqual([code, call])
    expect(error.message).toMatch(message)
    expect(pair.closed).toBe(false)
  })

  test('of a build without TLS tells how to get it', () => {
    for (const scheme of ['tls+tcp', 'wss']) {
      const error = errnoError(constants.errno.EPROTONOSUPPORT, 'bind', `"${scheme}://127.0.0.1:5555"`)
      expect(error.message).toMatch(/has no TLS.*npx --no nanomsg-native-build/)
    }
    expect(errnoError(constants.errno.EPROTONOSUPPORT, 'bind', '"http://x"').message).toMatch(/begin with tcp:/)
  })
})
