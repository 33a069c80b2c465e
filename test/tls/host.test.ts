/** The addon in a program with no OpenSSL, or another one: Python, which calls its nn_* functions. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'

/** Arguments: libraries, separated by commas, whose names the addon finds in this order; the addon; addresses. */
const program = `
import ctypes, os, sys
for library in filter(None, sys.argv[1].split(',')):
    ctypes.CDLL(library, mode=os.RTLD_NOW | os.RTLD_GLOBAL)
engine = ctypes.CDLL(sys.argv[2], mode=os.RTLD_LAZY)
s = engine.nn_socket(1, 16)
for address in sys.argv[3:]:
    print(engine.nn_errno() if engine.nn_bind(s, address.encode()) < 0 else 0)
`
const root = join(__dirname, '..', '..')
const addon = join(root, 'build', 'Release', 'nanomsg_native.node')
const { EINVAL, EPROTONOSUPPORT } = constants.errno

const works = (command: string, args: string[]) => {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
const hasPython = works('python3', ['--version'])
const openssl = ['libcrypto.so.3', 'libssl.so.3']

/** What binding each address ends with: 0 or an errno. */
const outcomes = (libraries: string[], addresses: string[]) =>
  execFileSync('python3', ['-c', program, libraries.join(), addon, ...addresses], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(Number)

const ofTls = ['tls+tcp://127.0.0.1:0', 'wss://127.0.0.1:0/']
const others = ['tcp://127.0.0.1:0', 'ws://127.0.0.1:0/']

const folder = mkdtempSync(join(tmpdir(), 'nn-host-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function libraryOf(name: string, text: string): string {
  const path = join(folder, `${name}.so`)
  writeFileSync(`${path}.c`, text)
  execFileSync('cc', ['-shared', '-fPIC', '-o', path, `${path}.c`])
  return path
}

/** A library with all functions that the engine calls, which would end the program. */
function opensslOf(major: number): string {
  const header = readFileSync(join(root, 'native', 'streams', 'tls_openssl.h'), 'utf8')
  const names = [...header.matchAll(/ {4}X\((\w+)\)/g)].map(([, name]) => name!)
  expect(names.length).toBeGreaterThan(50)
  const functions = names.filter((name) => name !== 'OPENSSL_version_major').map((name) => `F(${name})`)
  return libraryOf(
    `openssl-${major}`,
    `#include <stdlib.h>
    #define F(name) void name(void) { abort(); }
    unsigned OPENSSL_version_major(void) { return ${major}; }
    ${functions.join('\n')}`,
  )
}

// macOS loads nothing whose functions of Node-API are missing.
describe.skipIf(!hasPython || process.platform !== 'linux')('a host', () => {
  test('without OpenSSL has all transports but those of TLS', () => {
    expect(outcomes([], [...others, ...ofTls])).toEqual([0, 0, EPROTONOSUPPORT, EPROTONOSUPPORT])
  })

  test('with an OpenSSL of a version that was not tried has no TLS, and the OpenSSL is not called', () => {
    expect(outcomes([opensslOf(4)], [...others, ...ofTls])).toEqual([0, 0, EPROTONOSUPPORT, EPROTONOSUPPORT])
  })

  describe.skipIf(!hasPython || !works('python3', ['-c', program, openssl.join(), addon]))('of OpenSSL 3', () => {
    test('has TLS, for which a server needs a certificate', () => {
      expect(outcomes(openssl, ofTls)).toEqual([EINVAL, EINVAL])
    })

    test.each(['SSL_new', 'X509_free', 'OPENSSL_version_major'])(
      'has none when %s is found in another library',
      (name) => {
        const other = libraryOf(`other-${name}`, `unsigned ${name}(void) { return 3; }`)
        expect(outcomes([other, ...openssl], ofTls)).toEqual([EPROTONOSUPPORT, EPROTONOSUPPORT])
      },
    )
  })
})
