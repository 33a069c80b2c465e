/** The addon in a program that has no OpenSSL: Python, which calls its nn_* functions. */
import { execFileSync } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const program = `
import ctypes, os, sys
engine = ctypes.CDLL(sys.argv[1], mode=os.RTLD_LAZY)
s = engine.nn_socket(1, 16)
for address in sys.argv[2:]:
    print(engine.nn_errno() if engine.nn_bind(s, address.encode()) < 0 else 0)
`
const addon = join(__dirname, '..', '..', 'build', 'Release', 'nanomsg_native.node')

let hasPython = true
try {
  execFileSync('python3', ['--version'])
} catch {
  hasPython = false
}

// macOS loads nothing whose functions of Node-API are missing.
describe.skipIf(!hasPython || process.platform !== 'linux')('a host without OpenSSL', () => {
  test('has all transports but those of TLS', () => {
    const addresses = ['tcp://127.0.0.1:0', 'ws://127.0.0.1:0/', 'tls+tcp://127.0.0.1:0', 'wss://127.0.0.1:0/']
    const output = execFileSync('python3', ['-c', program, addon, ...addresses], { encoding: 'utf8' })
    const missing = constants.errno.EPROTONOSUPPORT
    expect(output.trim().split('\n').map(Number)).toEqual([0, 0, missing, missing])
  })
})
