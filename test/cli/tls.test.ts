/** nanocat over TLS: with us at both ends, and with nngcat at the other. */
import { expect, test } from 'vitest'
import { ca, describeTls, server } from '../tls/certificates.js'
import { describeWithNng, ours, theirsOfNng } from './programs.js'

const serving = ['--cert', server.certFile, '--key', server.keyFile]

describeTls('over TLS', () => {
  test.each(['tls+tcp', 'wss'])('%s: a peer with a certificate of the authority is trusted', async (scheme) => {
    await using rep = ours('--rep', '-v', '-D', 'done', '-A', ...serving, '--bind', `${scheme}://localhost:0`)
    const address = (await rep.listening()).replace('127.0.0.1', 'localhost')
    await using req = ours('--req', '-D', 'work', '-A', '--cacert', ca.certFile, '--connect', address)
    const { exitCode, stdout } = await req.ended
    expect([exitCode, stdout.toString()]).toEqual([0, 'done\n'])
  })

  test('a peer without a certificate that is known is not, unless that is asked for', async () => {
    await using rep = ours('--rep', '-v', '-D', 'done', ...serving, '--bind', 'tls+tcp://127.0.0.1:0')
    const to = ['--connect', await rep.listening(), '--recv-timeout', '1']
    await using refusing = ours('--req', '-D', 'work', '-A', '-v', ...to)
    expect((await refusing.ended).stdout.toString()).toBe('')
    expect(refusing.stderr).toMatch(/\nrejected: .*: one of the two does not accept the certificate of the other\n/)
    await using careless = ours('--req', '-D', 'work', '-A', '--insecure', ...to)
    expect((await careless.ended).stdout.toString()).toBe('done\n')
  })

  test('a file that is no certificate is told', async () => {
    await using rep = ours('--rep', '--cert', '/dev/null', '--bind', 'tls+tcp://127.0.0.1:0')
    const { exitCode, stderr } = await rep.ended
    expect(exitCode).not.toBe(0)
    expect(stderr).toMatch(/^Can't bind: Invalid argument\nthe bound side needs a certificate /)
  })

  describeWithNng('with nngcat', () => {
    test('each is understood by the other', async () => {
      await using rep = ours('--rep', '-v', '-D', 'done', ...serving, '--bind', 'tls+tcp://127.0.0.1:0')
      const address = (await rep.listening()).replace('127.0.0.1', 'localhost') // it looks for names only
      await using req = theirsOfNng('--req', '-D', 'work', '--quoted', '--cacert', ca.certFile, '--connect', address)
      await req.until(({ stdout }) => stdout.includes('"done"'))
    })
  })
})
