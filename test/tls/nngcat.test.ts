/** Our sockets in conversation with the command-line tool of NNG, whose TLS is another library's. */
import { Pull, Push, Rep } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { describeWithNng, freePort, theirsOfNng } from '../cli/programs.js'
import { ca, client, describeTls, ofClient, ofServer, server } from './certificates.js'

const schemes = [
  { scheme: 'tls+tcp', path: '' },
  { scheme: 'wss', path: '/path' },
]

const converse = ({ scheme, path }: { scheme: string; path: string }) => {
  test('it reaches a socket of ours', async () => {
    await using rep = new Rep({ tls: ofServer })
    const address = rep.bind(`${scheme}://127.0.0.1:0${path}`).address.replace('127.0.0.1', 'localhost')
    await using program = theirsOfNng('--req', '--dial', address, '--cacert', ca.certFile, '--data', 'ping', '--quoted')
    await rep.send(`${await rep.receive()} pong`)
    await program.until(({ stdout }) => stdout.includes('"ping pong"'))
  })

  test('it is reached by a socket of ours', async () => {
    const address = `${scheme}://127.0.0.1:${await freePort()}${path}`
    const files = ['--cert', server.certFile, '--key', server.keyFile]
    await using program = theirsOfNng('--pull', '--listen', address, ...files, '--quoted')
    await using push = new Push({ tls: ofClient, reconnectInterval: 10 })
    push.connect(address)
    await push.send('one way')
    await program.until(({ stdout }) => stdout.includes('"one way"'))
  })

  test('it is asked for a certificate, and accepted with one', async () => {
    await using pull = new Pull({ tls: { ...ofServer, ca: ca.cert, requireClientCertificate: true } })
    const address = pull.bind(`${scheme}://127.0.0.1:0${path}`).address.replace('127.0.0.1', 'localhost')
    const known = ['--cacert', ca.certFile, '--cert', client.certFile, '--key', client.keyFile]
    await using _program = theirsOfNng('--push', '--dial', address, ...known, '--data', 'certified')
    expect((await pull.receive()).toString()).toBe('certified')
  })
}

describeTls('with certificates', () => {
  describeWithNng('nngcat of NNG', () => {
    describe.each(schemes)('over $scheme', converse)
  })
})
