/** What the system answers where it lacks something: when the package is loaded, and when sockets are opened. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../api/support.js'
import { describeWith } from '../perf/tools.js'
import { Program } from './program.js'

const home = join(__dirname, '..', '..')
const built = JSON.stringify(join(home, 'dist', 'index.js'))
const addon = join(home, 'build', 'Release', 'nanomsg_native.node')
const prebuilds = join(home, 'prebuilds')
/** Has node-gyp-build look for an addon in a folder, as where the package has none for the platform. */
const searching = { PREBUILDS_ONLY: '1', LIBC: 'another' }

const hints: Record<string, string> = {
  EMFILE: 'ulimit -n',
  ENFILE: 'fs.file-max',
  ENOMEM: 'ulimit -v',
  ENOBUFS: 'limits of the system',
}
const numbers: Record<string, number> = { EMFILE: 24, ENFILE: 23, ENOMEM: 12, ENOBUFS: 105 }

/** Loads the package and says how that has failed. */
const loading = `
  try { require(${built}); console.log('{}') } catch ({ code, errno, syscall, message, cause }) {
    console.log(JSON.stringify({ code, errno, syscall, message, cause: String(cause) }))
  }`

/** Has no descriptors left when a function is called for the first time, until it tells how loading has failed. */
const withoutDescriptors = (object: string, name: string) => `
  const { openSync, closeSync } = require('node:fs')
  require('node-gyp-build')
  const { log } = console
  const held = []
  const call = ${object}.${name}
  ${object}.${name} = function (...args) {
    try { for (;;) held.push(openSync('/dev/null')) } catch {}
    return call.apply(this, args)
  }
  console.log = (text) => { for (const fd of held) closeSync(fd); log(text) }
  ${loading}`

function expectShortage(text: string, code: string): void {
  const { code: thrown, errno, syscall, message, cause } = JSON.parse(text)
  expect([thrown, errno, syscall]).toEqual([code, numbers[code], 'dlopen'])
  expect(message).toContain(`${code}: nanomsg-native cannot load its addon from ${home}. `)
  expect(message).toContain(hints[code])
  expect(message).toContain('The reason: ')
  expect(cause).toMatch(/Error/)
}

describe('loading the package without descriptors', () => {
  const run = (text: string, env: NodeJS.ProcessEnv = {}) =>
    execFileSync('sh', ['-c', 'ulimit -n 64 && exec "$0" -e "$1"', process.execPath, text], {
      encoding: 'utf8',
      cwd: home,
      env: { ...process.env, ...env },
    })

  test('says that there are none for the addon', () => {
    expectShortage(run(withoutDescriptors('process', 'dlopen')), 'EMFILE')
  })

  test('does not say that there is no addon where its folders cannot be read', () => {
    expectShortage(run(withoutDescriptors(`require('node:fs')`, 'readdirSync'), searching), 'EMFILE')
  })
})

const describeWithInjection = (name: string, define: () => void) =>
  describeWith('strace', ['-qq', '-o', '/dev/null', '-e', 'inject=socket:error=ENFILE', 'true'], name, define)

describeWithInjection('loading the package where the system', () => {
  test.each([
    ['has no open file left for the addon', addon, 'openat', 'ENFILE'],
    ['has no open file left for its folder', prebuilds, 'openat', 'ENFILE', searching],
    ['has no memory to open the addon', addon, 'openat', 'ENOMEM'],
    ['has no memory to map the addon', addon, 'mmap', 'ENOMEM'],
  ])('%s says so', (_, path, call, code, env: NodeJS.ProcessEnv = {}) => {
    const args = ['-f', '-qq', '-o', '/dev/null', '-P', path, '-e', `inject=${call}:error=${code}`]
    // The system fails for the addon of the repository, whichever the tests run on.
    const options = { encoding: 'utf8', env: { ...process.env, NANOMSG_NATIVE_PREBUILD: '', ...env } } as const
    expectShortage(execFileSync('strace', [...args, process.execPath, '-e', loading], options), code)
  })
})

/** Does what each line of its input says, and says what came of it. */
const opening = `
  const { createInterface } = require('node:readline')
  const tell = (outcome, { name, code, errno, syscall, message }) =>
    console.log(JSON.stringify({ outcome, name, code, errno, syscall, message }))
  let pull, bound
  const commands = {
    open() { pull = new Pull() },
    bind(address) { bound = pull.bind(address).address },
    connect() {
      const push = new Push({ reconnectInterval: 5 })
      for (const name of ['failure', 'reject']) push.on(name, ({ error }) => tell(name, error))
      push.on('connect', () => console.log('connected'))
      push.connect(bound)
    },
  }
  createInterface({ input: process.stdin }).on('line', (line) => {
    const [name, address] = line.split(' ')
    try { commands[name](address), console.log(name) } catch (error) { tell('threw', error) }
  })
  console.log('ready')`

/** Makes system calls of a program fail from now on. Returns when they do. */
async function inject(program: Program, injection: string): Promise<ChildProcess> {
  const strace = spawn('strace', ['-f', '-o', '/dev/null', '-e', `inject=${injection}`, '-p', `${program.pid}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  for await (const line of createInterface({ input: strace.stderr! })) if (line.includes('attached')) break
  return strace
}

/** What a program in which `before` was done says when it does `what` while a call of the system fails. Afterwards it
 * can do the same, or does it by itself. */
async function answerOf(before: string[], injection: string, what: string) {
  await using program = new Program(opening)
  await program.line()
  for (const each of before) {
    program.say(each)
    await program.line()
  }
  const strace = await inject(program, injection)
  program.say(what)
  let answer = await program.line()
  if (answer === 'connect') answer = await program.line()
  strace.kill()
  await once(strace, 'exit')
  const name = what.split(' ')[0]!
  if (name !== 'connect') program.say(what)
  const done = name === 'connect' ? 'connected' : name
  while ((await program.line()) !== done);
  return JSON.parse(answer)
}

describeWithInjection('a socket', () => {
  const table = (
    [
      ['epoll_create1', 'socket', 'EMFILE', 'ENFILE', 'ENOMEM'],
      ['timerfd_create', 'socket', 'EMFILE', 'ENFILE', 'ENOMEM'],
      ['eventfd2', 'socket', 'EMFILE', 'ENFILE', 'ENOMEM'],
      ['epoll_ctl', 'socket', 'ENOMEM'],
      ['socket', 'bind', 'EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS'],
      ['bind', 'bind', 'ENOMEM', 'ENOBUFS'],
      ['listen', 'bind', 'ENOMEM', 'ENOBUFS'],
      ['epoll_ctl', 'bind', 'ENOMEM'],
      ['socket', 'connect', 'EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS'],
      ['connect', 'connect', 'ENOMEM', 'ENOBUFS'],
      ['epoll_ctl', 'connect', 'ENOMEM'],
    ] as const
  ).flatMap(([call, syscall, ...codes]) => codes.map((code) => ({ call, syscall, code })))

  test.each(table)('says that $syscall has met $code of $call', async ({ call, syscall, code }) => {
    // A connection that is there at once, as over ipc, is rejected where it cannot be watched.
    const outcomes = syscall === 'connect' ? ['failure connect', 'reject reject'] : [`threw ${syscall}`]
    using folder = temporaryFolder()
    const addresses = syscall === 'socket' ? [''] : ['tcp://127.0.0.1:0', `ipc://${folder.path}/socket`]
    for (const address of addresses) {
      const steps = ['open', `bind ${address}`, 'connect']
      const place = ['socket', 'bind', 'connect'].indexOf(syscall)
      // Only the first call: libuv itself ends the process where it cannot watch a descriptor.
      const answer = await answerOf(steps.slice(0, place), `${call}:error=${code}:when=1`, steps[place]!)
      expect(answer).toMatchObject({ name: 'NanomsgError', code, errno: numbers[code] })
      expect(outcomes).toContain(`${answer.outcome} ${answer.syscall}`)
      expect(answer.message).toContain(hints[code])
    }
  })
})
