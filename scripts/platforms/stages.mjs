// What npm run platforms runs: a row for each stage. `needs` names programs and folders without which it cannot run,
// `run` the commands, in order. Another platform is a row here, and one in scripts/prebuild/targets.mjs.
const vitest = (node, ...args) => [node, 'node_modules/vitest/vitest.mjs', 'run', ...args]

/** The whole suite on a version of Node.js, with the addon that npm run build has made. */
const suiteOn = (major) => {
  const node = `test/nodes/node_modules/node${major}/bin/node`
  return {
    name: `suite-node${major}`,
    says: `all tests of the package on Node.js ${major}`,
    needs: [node, 'build/Release/nanomsg_native.node'],
    run: [vitest(node)],
  }
}

/** Exchanges of test/runtimes with a prebuilt addon, on Node.js for another processor or system in an emulator. */
const emulated = (target, node, title, [emulator, name], exchanges = 'all exchanges') => ({
  name: target,
  says: `the prebuilt addon of ${target}: compiled, checked, and ${exchanges} in ${name}`,
  needs: [emulator, `test/platforms/node_modules/${node}`],
  run: [['npm', 'run', '--silent', 'prebuild', '--', '--target', target], vitest('node', 'test/runtimes', '-t', title)],
})

/** The tests of the engine in C with another C library, linked statically; without TLS, since there is no OpenSSL. */
const engineOn = (name, target, emulator, says) => ({
  name,
  says,
  needs: ['cmake', 'make', ...(emulator ? [emulator] : [])],
  run: [['bash', 'scripts/platforms/test-engine', target, ...(emulator ? [emulator] : [])]],
})

export const stages = [
  suiteOn(22),
  suiteOn(24),
  suiteOn(26),
  {
    name: 'prebuilds',
    says: 'the prebuilt addons of all targets: compiled and checked',
    needs: [],
    run: [['npm', 'run', '--silent', 'prebuild', '--', '--all']],
  },
  emulated('linux-arm64', 'node-arm64', 'Node.js for arm64', ['qemu-aarch64-static', 'QEMU']),
  emulated('linux-arm', 'node-armv7', 'Node.js for armv7', ['qemu-arm-static', 'QEMU']),
  emulated('win32-x64', 'node-windows', 'Node.js for Windows', ['wine', 'Wine'], 'its exchanges'),
  {
    name: 'engine-windows',
    says: 'the tests of the engine for Windows in Wine',
    needs: ['cmake', 'x86_64-w64-mingw32-gcc', 'wine'],
    run: [['bash', 'scripts/test-windows']],
  },
  engineOn('engine-musl', 'x86_64-linux-musl', '', 'the tests of the engine with musl'),
  engineOn('engine-arm64', 'aarch64-linux-musl', 'qemu-aarch64-static', 'the tests of the engine on arm64 in QEMU'),
  {
    name: 'clients',
    says: 'installation by each package manager, and bundlers',
    needs: ['test/clients/node_modules', 'test/bundlers/node_modules'],
    run: [vitest('node', 'test/package')],
  },
  {
    name: 'runtimes',
    says: 'all exchanges on Bun, on Deno, and on Node.js watched by a thread',
    needs: ['test/runtimes/node_modules'],
    run: [vitest('node', 'test/runtimes')],
  },
]
