/** For which names a certificate counts. */
import { once } from 'node:events'
import { Pair } from 'nanomsg-native'
import { expect, test } from 'vitest'
import { ca, certified, describeTls, type Identity, ofClient, server } from './certificates.js'

describeTls('a certificate', () => {
  const address = 'tls+tcp://127.0.0.1:0'
  const wildcard = certified(ca, 'wildcard', 'DNS:*.example.org')

  /** What a client says of a server: 'accepted', or the message of its rejection. */
  async function verdict({ cert, key }: Identity, serverName: string): Promise<string> {
    await using bound = new Pair({ tls: { cert, key } })
    await using connecting = new Pair({ tls: { ...ofClient, serverName } })
    const accepted = once(connecting, 'connect').then(() => 'accepted')
    const rejected = once(connecting, 'reject').then(([{ error }]) => String(error.message))
    connecting.connect(bound.bind(address).address)
    return await Promise.race([accepted, rejected])
  }

  test.each([
    ['without a subjectAltName', ''],
    ['with that of an address only', 'IP:10.0.0.1'],
    ['with that of mail only', 'email:somebody@localhost'],
  ])('%s does not count for its common name', async (_, names) => {
    const message = await verdict(certified(ca, 'localhost', names), 'localhost')
    expect(message).toContain('EACCES')
    expect(message).toContain(names === '' ? 'no subjectAltName in the certificate' : 'hostname mismatch')
  })

  test('without a subjectAltName does not count for an address either', async () => {
    const message = await verdict(certified(ca, '127.0.0.1', ''), '127.0.0.1')
    expect(message).toContain('no subjectAltName in the certificate')
  })

  test('counts for its name with the dot that ends it', async () => {
    expect(await verdict(server, 'localhost.')).toBe('accepted')
    expect(await verdict(wildcard, 'sockets.example.org.')).toBe('accepted')
  })

  test('with a wildcard counts for one label in its place', async () => {
    expect(await verdict(wildcard, 'sockets.example.org')).toBe('accepted')
    expect(await verdict(wildcard, 'more.sockets.example.org')).toContain('hostname mismatch')
    expect(await verdict(wildcard, 'example.org')).toContain('hostname mismatch')
  })
})
