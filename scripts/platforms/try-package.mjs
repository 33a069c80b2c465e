// node scripts/platforms/try-package.mjs TARBALL: installs a packed package in an empty folder, as users do, and runs
// all exchanges of test/runtimes with it, each in a process of its own. Needs npm, and for TLS the command openssl.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const exchanges = fileURLToPath(new URL('../../test/runtimes/exchanges.cjs', import.meta.url))
/** What the operating system has not. */
const absent = { darwin: ['abstract'], win32: ['abstract', 'ipc', 'compat'] }

function openssl(folder, ...args) {
  execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
}

/** An authority, and a certificate of it for 127.0.0.1. */
function makeAuthority(folder, name) {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-sha256']
  openssl(folder, 'req', '-x509', ...key, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.pem`)
}

function makeCertificate(folder, authority, name, subjectAltName) {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl(folder, 'req', '-new', ...key, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`)
  writeFileSync(join(folder, 'extensions'), subjectAltName === '' ? '' : `subjectAltName=${subjectAltName}\n`)
  const signer = ['-CA', `${authority}.pem`, '-CAkey', `${authority}.key`, '-CAcreateserial', '-days', '2', '-sha256']
  openssl(folder, 'x509', '-req', '-in', `${name}.csr`, ...signer, '-extfile', 'extensions', '-out', `${name}.pem`)
}

function makeCertificates(folder) {
  makeAuthority(folder, 'authority')
  makeAuthority(folder, 'other')
  makeCertificate(folder, 'authority', 'server', 'IP:127.0.0.1,DNS:localhost')
  makeCertificate(folder, 'authority', 'unlisted', '')
  const file = (name) => join(folder, name)
  return {
    NN_CA: file('authority.pem'),
    NN_OTHER_CA: file('other.pem'),
    NN_CERT: file('server.pem'),
    NN_KEY: file('server.key'),
    NN_UNLISTED_CERT: file('unlisted.pem'),
    NN_UNLISTED_KEY: file('unlisted.key'),
  }
}

function install(tarball, folder) {
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  const options = ['install', '--no-audit', '--no-fund', resolve(tarball)]
  // npm is a script for the shell on Windows.
  execFileSync('npm', options, { cwd: folder, stdio: 'inherit', shell: process.platform === 'win32' })
  return join(folder, 'node_modules/nanomsg-native')
}

function main(tarball) {
  const folder = mkdtempSync(join(tmpdir(), 'nanomsg-try-'))
  try {
    const home = install(tarball, folder)
    const env = { ...process.env, ...makeCertificates(folder) }
    const run = (name) =>
      spawnSync(process.execPath, [exchanges, home, name], { env, encoding: 'utf8', timeout: 60_000 })
    const all = run('list').stdout.trim().split(' ')
    const names = all.filter((name) => !absent[process.platform]?.includes(name))
    const failed = names.filter((name) => {
      const { status, signal, stdout, stderr } = run(name)
      const isDone = status === 0 && stdout.trim() === `done ${name}`
      console.log(`${isDone ? 'ok    ' : 'FAILED'} ${name}${isDone ? '' : `: ${signal ?? status}\n${stdout}${stderr}`}`)
      return !isDone
    })
    console.log(`${names.length - failed.length} of ${names.length} exchanges with ${tarball}`)
    process.exitCode = failed.length === 0 ? 0 : 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

if (process.argv.length === 3) main(process.argv[2])
else {
  console.error('usage: node scripts/platforms/try-package.mjs TARBALL')
  process.exitCode = 2
}
