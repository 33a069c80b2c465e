/** Which files of authorities are read. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Pair } from 'nanomsg-native'
import { afterAll, expect, test } from 'vitest'
import { describeWithStrace } from '../perf/strace.js'
import { ca, describeTls, ofServer } from './certificates.js'

const built = join(__dirname, '..', '..', 'dist', 'index.js')
const folder = mkdtempSync(join(tmpdir(), 'nn-authorities-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Connects, and tells whether the server was accepted. */
const program = (address: string) => `
  const { Pair } = require('${built}')
  const pair = new Pair()
  for (const type of ['connect', 'reject']) pair.on(type, () => { console.log(type); process.exit() })
  pair.connect('${address}')
  setInterval(() => {}, 1000) // a socket alone does not keep the process
`

/** What the client says, and which certificates' files it has looked for. */
async function connectWith(env: Record<string, string>) {
  await using bound = new Pair({ tls: ofServer })
  const { address } = bound.bind('tls+tcp://127.0.0.1:0')
  const trace = join(folder, 'trace')
  const args = ['-f', '-qq', '-e', 'trace=%file', '-o', trace, process.execPath, '-e', program(address)]
  const child = spawn('strace', args, { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close') // the trace is complete
  let said = ''
  for await (const text of child.stdout) said += String(text)
  await closed
  const names = [...readFileSync(trace, 'utf8').matchAll(/^\d+ +\w+\((?:AT_FDCWD, )?"([^"]+)"/gm)].map(
    (match) => match[1]!,
  )
  const ofSystem = names.filter((name) => /^\/(etc|usr)\/.*(certs?\b|\.pem|\.crt|\.0$)/.test(name))
  return { said: said.trim(), ofSystem }
}

describeTls('in the environment', () => {
  describeWithStrace('authorities', () => {
    test('SSL_CERT_FILE alone counts', async () => {
      expect(await connectWith({ SSL_CERT_FILE: ca.certFile })).toEqual({ said: 'connect', ofSystem: [] })
      expect(await connectWith({ SSL_CERT_FILE: '/no/such/file' })).toEqual({ said: 'reject', ofSystem: [] })
    })

    test('SSL_CERT_DIR alone counts', async () => {
      spawnSync('openssl', ['rehash', dirname(ca.certFile)])
      expect(await connectWith({ SSL_CERT_DIR: dirname(ca.certFile) })).toEqual({ said: 'connect', ofSystem: [] })
      expect(await connectWith({ SSL_CERT_DIR: folder })).toEqual({ said: 'reject', ofSystem: [] })
    })

    test('NODE_EXTRA_CA_CERTS counts beside others', async () => {
      const extra = { NODE_EXTRA_CA_CERTS: ca.certFile }
      expect((await connectWith(extra)).said).toBe('connect')
      expect((await connectWith({ ...extra, SSL_CERT_FILE: '/no/such/file' })).said).toBe('connect')
      expect((await connectWith({ NODE_EXTRA_CA_CERTS: '/no/such/file' })).said).toBe('reject')
    })

    test('without both those of the system count', async () => {
      const { said, ofSystem } = await connectWith({})
      expect(said).toBe('reject')
      expect(ofSystem).not.toEqual([])
    })
  })
})
