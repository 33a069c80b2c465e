// What is prebuilt: a row for each binary of the package. A new platform is a row here, one in the loader's table
// (lib/engine/prebuilt.ts) and, if its format is new, a reader beside elf.mjs.
const KiB = 1024

/** Of the oldest systems that Node.js 20 runs on. */
const OLDEST_GLIBC = '2.28'
const OLDEST_MACOS = '11.0'

/** Of the addon where a platform has one only. */
const NAME = 'nanomsg-native.node'

/** What a shared object for Linux is linked with. -Bsymbolic: calls of our own must not reach another libnanomsg in the
 * process. nodelete: threads and handlers of the engine may run after the last environment has ended. */
const linux = {
  platform: 'linux',
  format: 'elf',
  link: [
    '-shared',
    '-s',
    '-Wl,-Bsymbolic',
    '-Wl,--version-script=native/addon.map',
    '-Wl,-z,nodelete',
    '-Wl,-z,relro',
    '-Wl,-z,now',
  ],
  maxSize: 900 * KiB,
}

/** The libraries that every glibc has had since before it joined them. */
const glibc = {
  ...linux,
  libc: 'glibc',
  oldestLibc: OLDEST_GLIBC,
  needed: /^(lib(c|m|pthread|dl|rt)\.so\.\d|ld-linux[-a-z0-9_]*\.so\.\d)$/,
}

/** In its headers some lengths are int that are size_t elsewhere: conversions that are no fault warn. */
const musl = {
  ...linux,
  libc: 'musl',
  needed: /^libc\.so$/,
  compile: ['-Wno-error=shorten-64-to-32', '-Wno-error=sign-conversion'],
}

/** What is not found when it is linked, the host gives: Node-API. The name that a library has inside does not come from
 * the folder it is built in. */
const darwin = {
  platform: 'darwin',
  format: 'macho',
  oldestSystem: OLDEST_MACOS,
  link: [
    '-shared',
    '-s',
    // No compiler-rt, which libSystem has.
    '-nodefaultlibs',
    '-lc',
    '-lc++',
    '-Wl,-dead_strip',
    '-Wl,-undefined,dynamic_lookup',
    `-Wl,-install_name,@rpath/${NAME}`,
  ],
  maxSize: 1000 * KiB,
}

/** The functions of Node-API are not linked to: native/binding/node_api_functions.cc looks for them. Windows 8 is the
 * first system that lets threads wait for an address. */
const windows = {
  platform: 'win32',
  format: 'pe',
  // Those of the system: none of them comes with a compiler.
  needed: /^(kernel32|ntdll|ws2_32|iphlpapi|bcrypt|msvcrt|api-ms-win-core-synch-l1-2-0)\.dll$/i,
  compile: [
    '-DNN_FIND_NODE_API',
    '-DNN_WITHOUT_ADDON_API',
    '-DNAPI_EXTERN=',
    '-DNN_SHARED_LIB',
    '-D_WIN32_WINNT=0x0602',
    '-D__USE_MINGW_ANSI_STDIO=1',
  ],
  link: [
    '-shared',
    '-s',
    ...['ws2_32', 'iphlpapi', 'bcrypt', 'ntdll', 'api-ms-win-core-synch-l1-2-0'].map((name) => `-l${name}`),
  ],
  maxSize: 1000 * KiB,
}

/** `zig` is the compiler's name for the target, `file` where node-gyp-build finds the binary. */
export const targets = [
  {
    ...glibc,
    name: 'linux-x64',
    arch: 'x64',
    machine: 'x86-64',
    zig: `x86_64-linux-gnu.${OLDEST_GLIBC}`,
    file: 'linux-x64/nanomsg-native.glibc.node',
  },
  {
    ...glibc,
    name: 'linux-arm64',
    arch: 'arm64',
    machine: 'AArch64',
    zig: `aarch64-linux-gnu.${OLDEST_GLIBC}`,
    file: 'linux-arm64/nanomsg-native.glibc.node',
  },
  {
    ...glibc,
    name: 'linux-arm',
    arch: 'arm',
    machine: 'ARM',
    zig: `arm-linux-gnueabihf.${OLDEST_GLIBC}`,
    // clang says so of every 32-bit ARM; the headers of Node.js take it for x32.
    compile: ['-U__ILP32__'],
    file: 'linux-arm/nanomsg-native.armv7.glibc.node',
  },
  {
    ...musl,
    name: 'linuxmusl-x64',
    arch: 'x64',
    machine: 'x86-64',
    zig: 'x86_64-linux-musl',
    file: 'linux-x64/nanomsg-native.musl.node',
  },
  {
    ...musl,
    name: 'linuxmusl-arm64',
    arch: 'arm64',
    machine: 'AArch64',
    zig: 'aarch64-linux-musl',
    file: 'linux-arm64/nanomsg-native.musl.node',
  },
  {
    ...darwin,
    name: 'darwin-arm64',
    arch: 'arm64',
    machine: 'ARM64',
    zig: `aarch64-macos.${OLDEST_MACOS}`,
    file: `darwin-arm64/${NAME}`,
  },
  {
    ...darwin,
    name: 'darwin-x64',
    arch: 'x64',
    machine: 'X86_64',
    zig: `x86_64-macos.${OLDEST_MACOS}`,
    file: `darwin-x64/${NAME}`,
  },
  {
    ...windows,
    name: 'win32-x64',
    arch: 'x64',
    machine: 'x64',
    zig: 'x86_64-windows-gnu',
    file: `win32-x64/${NAME}`,
  },
]

/** The rows of these names, or a sentence about the first that there is none of. */
export function targetsOf(names) {
  return names.map((name) => {
    const target = targets.find((row) => row.name === name)
    if (target === undefined)
      throw new Error(`there is no target ${name}; there are ${targets.map((row) => row.name).join(', ')}`)
    return target
  })
}
