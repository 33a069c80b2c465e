// The check of prebuilt addons finds what would keep one from loading elsewhere.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { goodMachO, isSignedWell, type MachO, machOFile, machOParts } from './macho-file.js'
import { goodPe, type Pe, peFile } from './pe-file.js'

interface Target {
  name: string
  file: string
  maxSize: number
}

const load = (name: string) => import(`../../scripts/prebuild/${name}.mjs`)
const { targets, targetsOf } = (await load('targets')) as {
  targets: Target[]
  targetsOf(names: string[]): Target[]
}
const { absentFrom, faultsOf } = (await load('check')) as {
  absentFrom(host: string, path: string): string[]
  faultsOf(path: string, target: Target): string[]
}

const hardened = ['-Wl,-z,relro', '-Wl,-z,now', '-Wl,-z,nodelete', '-fvisibility=hidden']
const good = `
  #define SHOWN __attribute__((visibility("default")))
  #pragma weak SSL_new
  #pragma weak uv_close
  extern int SSL_new(void), napi_get_undefined(void), uv_close(void);
  SHOWN int nn_socket(void) { return &SSL_new && &uv_close ? SSL_new() + uv_close() : napi_get_undefined(); }
  SHOWN int napi_register_module_v1(void) { return nn_socket(); }`

test('npm run build prebuilds nothing, although npm runs the script of that name before it', () => {
  const said = execFileSync(process.execPath, [join(__dirname, '../../scripts/prebuild/run.mjs')], { encoding: 'utf8' })
  expect(said).toBe('prebuild: nothing is prebuilt without --all, --here or --target NAME\n')
})

// The compiler of the tests makes binaries for this machine, which stand for those of x64.
describe.skipIf(process.arch !== 'x64')('the check of a prebuilt addon', () => {
  const x64 = targets.find(({ name }) => name === 'linux-x64')!
  let folder: string

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nanomsg-prebuild-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  function faults(source: string, options: string[] = hardened, target = x64): string[] {
    const file = join(folder, 'addon.c')
    writeFileSync(file, source)
    const args = ['-shared', '-fPIC', '-w', '-o', join(folder, 'addon.node'), file, ...options]
    execFileSync('cc', args, { cwd: folder })
    return faultsOf(join(folder, 'addon.node'), target)
  }

  test('has nothing against one that is as it should be', () => {
    expect(faults(good)).toEqual([])
  })

  test.each([
    ['addresses of functions that can be written', hardened.filter((option) => !option.includes('now')), /RELRO, NOW/],
    ['code that can be unloaded', hardened.filter((option) => !option.includes('nodelete')), /NODELETE/],
    ['a path for libraries', [...hardened, '-Wl,-rpath,/opt/lib'], /looks for libraries in \/opt\/lib/],
    ['a stack that can be executed', [...hardened, '-Wl,-z,execstack'], /executable stack/],
    ['a library of C++', [...hardened, '-Wl,--no-as-needed', '-l:libstdc++.so.6'], /needs the library libstdc\+\+/],
  ])('finds %s', (_, options, fault) => {
    expect(faults(good, options)).toEqual([expect.stringMatching(fault)])
  })

  test.each([
    [
      'a function of a newer C library',
      `${good} extern int pthread_create(); SHOWN int nn_new(void) { return pthread_create(); }`,
      /needs glibc 2\.\d+$/,
    ],
    ['OpenSSL that it cannot do without', good.replace('#pragma weak SSL_new', ''), /without SSL_new/],
    ['libuv that it cannot do without', good.replace('#pragma weak uv_close', ''), /without uv_close/],
    ['an export of another name', `${good} SHOWN int strange(void) { return 1; }`, /exports strange/],
    [
      'a function that is nowhere',
      `${good} extern int nowhere(); SHOWN int nn_new(void) { return nowhere(); }`,
      /needs nowhere, which neither/,
    ],
    ['no entry', good.replace('napi_register_module_v1', 'nn_other'), /does not export napi_register_module_v1/],
    ['a path of the machine', `${good} SHOWN const char *nn_path(void) { return "/home/me/x.c"; }`, /path \/home\/me/],
    [
      'operator new of a C++ library',
      `${good} extern int _Znwm(); SHOWN int nn_new() { return _Znwm(); }`,
      /needs _Znwm/,
    ],
  ])('finds %s', (_, source, fault) => {
    expect(faults(source)).toEqual(expect.arrayContaining([expect.stringMatching(fault)]))
  })

  test('finds another processor and too many bytes', () => {
    const arm = targets.find(({ name }) => name === 'linux-arm64')!
    expect(faults(good, hardened, { ...arm, maxSize: 1000 })).toEqual(
      expect.arrayContaining([
        'is made for X86-64',
        expect.stringMatching(/needs glibc|has \d+ bytes, more than 1000/),
      ]),
    )
  })
})

describe('the check of a prebuilt addon for macOS', () => {
  const arm64 = targets.find(({ name }) => name === 'darwin-arm64')!
  const folder = mkdtempSync(join(tmpdir(), 'nanomsg-prebuild-'))
  const path = join(folder, 'addon.node')

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  function faults(change: Partial<MachO>): string[] {
    writeFileSync(path, machOFile({ ...goodMachO, ...change }))
    return faultsOf(path, arm64)
  }

  test('has nothing against one that is as it should be', () => {
    expect(faults({})).toEqual([])
  })

  test.each<[string, Partial<MachO>, string]>([
    ['another processor', { machine: 0x01000007 }, 'is made for X86_64'],
    ['another oldest system', { oldestSystem: 0x000e0400 }, 'is made for macOS 14.4'],
    ['no signature', { isSigned: false }, 'has no signature, without which no processor of Apple runs it'],
    ['a name of its own from where it was built', { ownName: 'x/addon.node' }, 'calls itself x/addon.node'],
    [
      'a library of C++',
      { needed: [...goodMachO.needed, '@rpath/libc++.1.dylib'] },
      'needs the library @rpath/libc++.1.dylib',
    ],
    ['a path for libraries', { runPaths: ['/opt/lib'] }, 'looks for libraries in /opt/lib'],
    ['a function that is nowhere', { ofHost: ['nowhere'] }, 'needs nowhere, which neither the host nor the system has'],
    [
      'libuv that it cannot do without',
      { ofHost: ['uv_close'] },
      'needs uv_close, which neither the host nor the system has',
    ],
    ['an export of another name', { exported: [...goodMachO.exported, '_Znwm'] }, 'exports _Znwm'],
    ['no entry', { exported: ['nn_socket'] }, 'does not export napi_register_module_v1'],
    ['an engine without TLS', { texts: ['uv_poll_init'] }, 'has no TLS'],
    ['a path of the machine', { texts: [...goodMachO.texts, '/home/me/x.c'] }, 'contains the path /home/me/x.c'],
  ])('finds %s', (_, change, fault) => {
    expect(faults(change)).toEqual([fault])
  })

  test('is passed by a file whose other exports were taken out, and its signature fits', async () => {
    const { hideExports } = (await load('macho-hide')) as {
      hideExports(path: string, isKept: (name: string) => boolean): void
    }
    const { isShown } = (await load('shown')) as { isShown(name: string): boolean }
    const strange = ['nn_send', 'nn_sendmsg', 'SSL_new', '_Znwm', 'memcpy', 'nn']
    const { bytes, signatureAt } = machOParts({ ...goodMachO, exported: [...goodMachO.exported, ...strange] })
    expect(isSignedWell(bytes, signatureAt)).toBe(true)
    writeFileSync(path, bytes)
    expect(faultsOf(path, arm64)).toEqual(['nn', 'SSL_new', '_Znwm', 'memcpy'].map((name) => `exports ${name}`))
    hideExports(path, isShown)
    expect(faultsOf(path, arm64)).toEqual([])
    const after = readFileSync(path)
    expect(after.length).toBe(bytes.length)
    expect(after.equals(bytes)).toBe(false)
    expect(isSignedWell(after, signatureAt)).toBe(true)
  })

  test('finds what a host lacks', () => {
    const host = join(folder, 'node')
    const exported = ['napi_get_undefined', 'SSL_new', 'uv_poll_init']
    expect(faults({})).toEqual([])
    writeFileSync(host, machOFile({ ...goodMachO, exported }))
    expect(absentFrom(host, path)).toEqual([])
    writeFileSync(host, machOFile({ ...goodMachO, exported: exported.slice(0, 1) }))
    expect(absentFrom(host, path)).toEqual(['SSL_new', 'uv_poll_init'])
  })
})

describe('the check of a prebuilt addon for Windows', () => {
  const x64 = targets.find(({ name }) => name === 'win32-x64')!
  const folder = mkdtempSync(join(tmpdir(), 'nanomsg-prebuild-'))
  const path = join(folder, 'addon.node')

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  function faults(change: Partial<Pe>): string[] {
    writeFileSync(path, peFile({ ...goodPe, ...change }))
    return faultsOf(path, x64)
  }

  test('has nothing against one that is as it should be', () => {
    expect(faults({})).toEqual([])
  })

  test.each<[string, Partial<Pe>, string]>([
    ['another processor', { machine: 0xaa64 }, 'is made for ARM64'],
    ['the time of the build', { madeAt: 1 }, 'holds the time at which it was made'],
    ['a library of C++', { needed: [...goodPe.needed, 'libstdc++-6.dll'] }, 'needs the library libstdc++-6.dll'],
    ['a program that it needs by its name', { needed: ['node.exe'] }, 'needs the library node.exe'],
    [
      'an address that cannot be chosen',
      { traits: 0x40 | 0x100 },
      'cannot be loaded wherever the system wants (DYNAMIC_BASE, HIGH_ENTROPY_VA)',
    ],
    ['data that runs', { traits: 0x60 }, 'has data that can be executed (NX_COMPAT)'],
    ['an export of another name', { exported: [...goodPe.exported, 'unw_step'] }, 'exports unw_step'],
    ['no entry', { exported: ['nn_socket'] }, 'does not export napi_register_module_v1'],
    ['an engine without TLS', { texts: ['napi_create_function'] }, 'has no TLS'],
    ['an addon that knows no host', { texts: ['SSL_new'] }, 'does not look for Node-API'],
    ['a path of the machine', { texts: [...goodPe.texts, '/home/me/x.c'] }, 'contains the path /home/me/x.c'],
    [
      'a file that others can make',
      { texts: [...goodPe.texts, '/etc/ssl/cert.pem'] },
      'names /etc, a folder that every user of Windows can make',
    ],
  ])('finds %s', (_, change, fault) => {
    expect(faults(change)).toEqual([fault])
  })

  test('is passed by a file whose other exports and time were taken out', async () => {
    const { hideExports } = (await load('pe-hide')) as {
      hideExports(path: string, isKept: (name: string) => boolean): void
    }
    const { isShown } = (await load('shown')) as { isShown(name: string): boolean }
    const exported = ['SSL_new', 'memcpy', 'napi_register_module_v1', 'nn', 'nn_send', 'nn_socket', 'unw_step']
    const strange = ['SSL_new', 'memcpy', 'nn', 'unw_step'].map((name) => `exports ${name}`)
    expect(faults({ exported, madeAt: 7 })).toEqual(['holds the time at which it was made', ...strange])
    const before = readFileSync(path).length
    hideExports(path, isShown)
    expect(faultsOf(path, x64)).toEqual([])
    expect(readFileSync(path).length).toBe(before)
  })
})

test('a target that there is none of is named, with those that there are', () => {
  expect(() => targetsOf(['linux-x86'])).toThrow(`there is no target linux-x86; there are linux-x64, linux-arm64, `)
})
