// Builds the engine's tests and the addon with clang's counters, and reads these.
//
// The counters of a program or library lie in a file that every process maps which has it loaded (%c): what a child
// counts is kept however it ends, and threads and Workers add to the same. The path of the file is compiled in, so that
// processes with an empty environment count too.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { parseLcov } from './lcov.mjs'

const FOLDER = 'build-coverage'
const ENGINE = join(FOLDER, 'engine')
const ADDON = join(FOLDER, 'addon')
const COUNTERS = join(FOLDER, 'counters')
const ADDON_FILE = join(ADDON, 'build/Release/nanomsg_native.node')
const TOOLS = process.env.NN_LLVM ?? ''
const CLANG = process.env.NN_CLANG ?? 'clang'
const JOBS = String(process.env.NN_JOBS ?? availableParallelism())
const COMPILE = `-fprofile-instr-generate=${resolve(COUNTERS)}/%m%c.profraw -fcoverage-mapping`
const LINK = `-fprofile-instr-generate=${resolve(COUNTERS)}/%m%c.profraw`
/** What continuous counting needs of the compiler alone. */
const RELOCATION = '-mllvm -runtime-counter-relocation'
const QUIET = { stdio: ['ignore', 'ignore', 'inherit'] }

export function buildTests() {
  const env = { ...process.env, CC: CLANG }
  const settings = [`-DCMAKE_C_FLAGS=${COMPILE} ${RELOCATION} -Wno-unused-command-line-argument`]
  execFileSync('cmake', ['-S', '.', '-B', ENGINE, ...settings], { ...QUIET, env })
  execFileSync('cmake', ['--build', ENGINE, '-j', JOBS], { stdio: 'ignore', env })
}

/** With the flags of npm run build:native, but for link-time optimization. */
export function buildAddon() {
  mkdirSync(ADDON, { recursive: true })
  writeFileSync(
    join(ADDON, 'binding.gyp'),
    '{ "variables": { "nn_native": "../../native" }, "includes": ["../../native/addon.gypi"] }\n',
  )
  const compile = `${COMPILE} ${RELOCATION} -g1`
  const env = { ...process.env, CC: CLANG, CXX: `${CLANG}++`, CFLAGS: compile, CXXFLAGS: compile, LDFLAGS: LINK }
  const gyp = (...args) => execFileSync('npx', ['--no-install', 'node-gyp', ...args], { ...QUIET, env })
  gyp('configure', '-C', ADDON, '--loglevel=error', '--', '-Dclang=1')
  gyp('build', '-C', ADDON, '--loglevel=error', '-j', JOBS)
}

/** Forgets what earlier runs have counted. */
export function forgetCounts() {
  rmSync(COUNTERS, { recursive: true, force: true })
}

/** Whether all C tests have passed. */
export function runCTests() {
  // The log of an earlier run must not pass for this one's.
  rmSync(join(ENGINE, 'Testing/Temporary/LastTest.log'), { force: true })
  const { status } = spawnSync('ctest', ['--output-on-failure', '-j', JOBS], { cwd: ENGINE, stdio: 'inherit' })
  return status === 0
}

/** The addon that vitest's tests are to load. */
export const addonFolder = resolve(ADDON)

function isProgram(entry) {
  return entry.isFile() && /_test$|_fuzzer$|^conversation_ours$|^example_|^libnanomsg\.so\.[\d.]+$/.test(entry.name)
}

/** Programs and libraries that have counted. */
function objects(withAddon) {
  const folders = [ENGINE, join(ENGINE, 'test/fuzz'), join(ENGINE, 'test/native/compat'), join(ENGINE, 'replacement')]
  const found = folders.filter(existsSync).flatMap((folder) =>
    readdirSync(folder, { withFileTypes: true })
      .filter(isProgram)
      .map((entry) => join(folder, entry.name)),
  )
  return [...found, ...(withAddon ? [ADDON_FILE] : [])]
}

/** By file of native/: the counts of its lines, and its branches; without the addon only of the engine. */
export function countNative(withAddon) {
  const profile = join(FOLDER, 'native.profdata')
  const counters = readdirSync(COUNTERS).map((name) => join(COUNTERS, name))
  execFileSync(`${TOOLS}llvm-profdata`, ['merge', '-sparse', '-o', profile, ...counters], QUIET)
  const [first, ...others] = objects(withAddon)
  const args = [
    'export',
    '-format=lcov',
    `-instr-profile=${profile}`,
    first,
    ...others.flatMap((file) => ['-object', file]),
  ]
  const lcov = execFileSync(`${TOOLS}llvm-cov`, args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return Object.fromEntries(Object.entries(parseLcov(lcov)).filter(([file]) => file.startsWith('native/')))
}
