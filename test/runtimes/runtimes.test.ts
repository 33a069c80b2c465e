/** The package on runtimes other than Node.js, and on Node.js in the way that it works there. */
import { execFile, execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { authority, ca, certified, server } from '../tls/certificates.js'

const home = join(__dirname, '..', '..')
const program = join(__dirname, 'exchanges.cjs')
const installed = (path: string) => join(__dirname, 'node_modules', path)

interface Runtime {
  title: string
  path: string
  args: string[]
  env: Record<string, string>
  /** The program that `path` runs, where it is an emulator. */
  emulated?: string
  /** Exchanges that the system does not have. */
  absent?: string[]
}

/** A prebuilt addon on Node.js for another processor, in QEMU: what npm run platforms makes and asks for. */
function inEmulator(title: string, qemu: string, libraries: string, node: string, prebuilt: string): Runtime {
  return {
    title,
    path: `/usr/bin/${qemu}`,
    args: ['-L', libraries, node],
    env: { NANOMSG_NATIVE_PREBUILD: join(home, 'prebuilds', prebuilt) },
    emulated: node,
  }
}
/** Node.js for Windows, in Wine. It has no local sockets. Terminations of Workers one after the other come to a stop in
 * Wine, sooner or later; the cause is not known yet. */
function inWine(title: string, node: string, prebuilt: string): Runtime {
  return {
    title,
    path: join(home, 'scripts/platforms/node-in-wine'),
    args: [node, '--expose-gc'],
    env: { NANOMSG_NATIVE_PREBUILD: join(home, 'prebuilds', prebuilt) },
    emulated: node,
    absent: ['ipc', 'abstract', 'compat', 'terminations'],
  }
}
const ofPlatform = (path: string) => join(home, 'test/platforms/node_modules', path)

const runtimes: Runtime[] = [
  { title: 'Bun', path: installed('bun/bin/bun'), args: [], env: {} },
  { title: 'Deno', path: installed('deno/deno'), args: ['run', '-A', '--quiet'], env: {} },
  // What stands for libuv in other runtimes has to hold under the checks that Node.js makes.
  {
    title: 'Node.js, watched by a thread',
    path: process.execPath,
    args: ['--expose-gc'],
    env: { NANOMSG_NATIVE_WATCHER: 'thread' },
  },
  ...(process.env.NN_PLATFORMS === '1'
    ? [
        inEmulator(
          'Node.js for arm64',
          'qemu-aarch64-static',
          '/usr/aarch64-linux-gnu',
          ofPlatform('node-arm64/bin/node'),
          'linux-arm64/nanomsg-native.glibc.node',
        ),
        inEmulator(
          'Node.js for armv7',
          'qemu-arm-static',
          '/usr/arm-linux-gnueabihf',
          ofPlatform('node-armv7/bin/node'),
          'linux-arm/nanomsg-native.armv7.glibc.node',
        ),
        inWine('Node.js for Windows', ofPlatform('node-windows/bin/node.exe'), 'win32-x64/nanomsg-native.node'),
      ]
    : []),
]

const other = authority('other')
const unlisted = certified(ca, 'unlisted', '')
const names = execFileSync(process.execPath, [program, home, 'list'], { encoding: 'utf8' }).trim().split(' ')

for (const { title, path, args, env, emulated, absent = [] } of runtimes) {
  const isThere = [path, emulated ?? path, env.NANOMSG_NATIVE_PREBUILD ?? path].every((file) => existsSync(file))
  if (!isThere && process.env.NN_REQUIRE_PEERS === '1') {
    test(title, () => {
      throw new Error(`${title} is required here: scripts/install-test-tools installs it`)
    })
    continue
  }
  if (!isThere) console.log(`skipped: ${title}; scripts/install-test-tools installs it`)

  describe.skipIf(!isThere)(`an exchange on ${title}`, () => {
    test.each(names.filter((name) => !absent.includes(name)))(
      '%s',
      async (name) => {
        const files = {
          NN_CA: ca.certFile,
          NN_OTHER_CA: other.certFile,
          NN_CERT: server.certFile,
          NN_KEY: server.keyFile,
          NN_UNLISTED_CERT: unlisted.certFile,
          NN_UNLISTED_KEY: unlisted.keyFile,
        }
        // Whatever stops the runtime fails the test: a signal, an exit status, a process that does not end.
        const { stdout } = await promisify(execFile)(path, [...args, program, home, name], {
          env: { ...process.env, ...env, ...files },
          timeout: emulated === undefined ? 50_000 : 170_000,
        })
        expect(stdout.trim()).toBe(`done ${name}`)
      },
      emulated === undefined ? undefined : 180_000,
    )
  })
}
