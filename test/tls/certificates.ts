/** Certificates made by the command `openssl`. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe } from 'vitest'

export interface Identity {
  /** PEM text. */
  cert: string
  key: string
  /** The names of files with the same. */
  certFile: string
  keyFile: string
}

let hasOpenssl = true
try {
  execFileSync('openssl', ['version'])
} catch (error) {
  if (process.env.NN_REQUIRE_PEERS === '1') throw error
  hasOpenssl = false
}

/** Skipped where there is no command `openssl`. */
export const describeTls = describe.skipIf(!hasOpenssl)

const folder = mkdtempSync(join(tmpdir(), 'nn-tls-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

export const fileIn = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

const run = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

function identity(name: string): Identity {
  const [certFile, keyFile] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)]
  const [cert, key] = hasOpenssl ? [readFileSync(certFile, 'latin1'), readFileSync(keyFile, 'latin1')] : ['', '']
  return { cert, key, certFile, keyFile }
}

/** An authority that certifies others. */
export function authority(name: string): Identity {
  if (hasOpenssl) {
    const subject = ['-subj', `/CN=${name}`, '-addext', 'basicConstraints=critical,CA:TRUE']
    run('req', '-x509', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.crt`, '-days', '2', ...subject)
  }
  return identity(name)
}

/** @param names as in `DNS:localhost,IP:127.0.0.1`; none: the certificate has no subjectAltName */
export function certified(by: Identity, name: string, names: string, time: 'now' | 'past' = 'now'): Identity {
  if (hasOpenssl) {
    run('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
    const extensions = fileIn(`${name}.ext`, names === '' ? 'basicConstraints=CA:FALSE\n' : `subjectAltName=${names}\n`)
    const from = ['-CA', by.certFile, '-CAkey', by.keyFile, '-CAcreateserial']
    const days = time === 'now' ? '2' : '-1'
    run('x509', '-req', '-in', `${name}.csr`, ...from, '-out', `${name}.crt`, '-days', days, '-extfile', extensions)
  }
  return identity(name)
}

export const ca = authority('authority')
export const server = certified(ca, 'server', 'DNS:localhost,IP:127.0.0.1')
export const client = certified(ca, 'client', 'DNS:client')
export const expired = certified(ca, 'expired', 'DNS:localhost,IP:127.0.0.1', 'past')
export const stranger = certified(authority('elsewhere'), 'stranger', 'DNS:localhost,IP:127.0.0.1')

/** The option `tls` of a socket that binds, and of one that connects to it. */
export const ofServer = { cert: server.cert, key: server.key }
export const ofClient = { ca: ca.cert }
