/**
 * Measures what each mechanism for speed gains: builds the engine as it is, and once without each mechanism, and lets
 * both builds exchange messages in turn, so that a drift of the machine meets both alike.
 *
 *   node scripts/bench/mechanisms.mjs [name]... [--rounds N] [--ms N] [--realtime]
 *
 * --realtime runs the programs with chrt(1), as on a machine without other work; it needs the right to do so.
 * Prints medians and best rounds. A mechanism is switched off by one line of its source, in a copy of the tree.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '7' },
    ms: { type: 'string', default: '300' },
    realtime: { type: 'boolean', default: false },
  },
})

/** What switches a mechanism off, and the exchanges that show its gain: pattern, transport, bytes, where the peer
 * is. */
const MECHANISMS = {
  coalescing: {
    file: 'native/core/coalesce.c',
    replace: ['if (!self->has_streams ||', 'if (true || !self->has_streams ||'],
    exchanges: [['push', 'tcp', 64, 'process']],
  },
  'direct-poll': {
    file: 'native/core/direct_poll.c',
    replace: ['bool needs_loop =', 'bool needs_loop = true ||'],
    exchanges: [['req', 'tcp', 64, 'process']],
  },
  'adaptive-spin': {
    file: 'native/util/adaptive_spin.c',
    replace: ['self->is_useless = ', 'self->is_useless = true || '],
    exchanges: [['req', 'inproc', 64, 'thread']],
  },
  'buffer-cache': {
    file: 'native/util/buffer_cache.h',
    replace: ['return bytes >=', 'return false && bytes >='],
    exchanges: [100, 256, 512, 1024, 4096].map((kib) => ['push', 'tcp', kib * 1024, 'process']),
  },
  'body-arena': {
    file: 'native/message/body_arena.c',
    replace: ['if (!is_copied ||', 'if (true || !is_copied ||'],
    exchanges: [['push', 'inproc', 64, 'thread']],
  },
}

/** Builds the program in build-bench/mechanisms/<name>, and returns its path. */
function build(name, mechanism) {
  const folder = join(root, 'build-bench', 'mechanisms', name)
  const tree = join(folder, 'tree')
  mkdirSync(tree, { recursive: true })
  for (const part of ['CMakeLists.txt', 'package.json', 'native', 'examples', 'scripts/bench/c']) {
    if (existsSync(join(root, part))) cpSync(join(root, part), join(tree, part), { recursive: true })
  }
  if (mechanism !== undefined) {
    const path = join(tree, mechanism.file)
    const source = readFileSync(path, 'utf8')
    const [on, off] = mechanism.replace
    if (source.split(on).length !== 2) throw new Error(`${mechanism.file} has not one "${on}"`)
    writeFileSync(path, source.replace(on, off))
  }
  const run = (...args) => execFileSync('cmake', args, { stdio: ['ignore', 'ignore', 'inherit'] })
  run('-S', join(tree, 'scripts/bench/c'), '-B', join(folder, 'build'), '-DCMAKE_BUILD_TYPE=Release', '-Wno-dev')
  run('--build', join(folder, 'build'), '--target', 'mechanism', '-j', '2')
  return join(folder, 'build', 'mechanism')
}

/** An address that is free. */
function freeAddress(transport) {
  if (transport === 'inproc') return Promise.resolve('inproc://mechanism')
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(`tcp://127.0.0.1:${port}`))
    })
  })
}

async function exchange(program, [pattern, transport, bytes, where]) {
  const args = [pattern, await freeAddress(transport), String(bytes), values.ms, where]
  const command = values.realtime ? ['chrt', '-f', '10', program, ...args] : [program, ...args]
  return JSON.parse(execFileSync(command[0], command.slice(1), { encoding: 'utf8', timeout: 60_000 }))
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]

async function compare(name, programs, each) {
  const rounds = []
  for (let round = 0; round < Number(values.rounds); round++) {
    rounds.push([await exchange(programs[0], each), await exchange(programs[1], each)])
  }
  console.log(`${name}: ${each[0]} over ${each[1]}, ${each[2]} B, peer in a ${each[3]}`)
  for (const figure of ['elapsedNs', 'medianNs', 'cpuNs', 'faults', 'switches']) {
    const [on, off] = [0, 1].map((side) => rounds.map((round) => round[side][figure]))
    if (Math.max(...on, ...off) === 0) continue
    const ratios = rounds.map(([first, second]) => second[figure] / first[figure]).filter(Number.isFinite)
    console.log(
      `  ${figure.padEnd(10)} with ${median(on)} (best ${Math.min(...on)})  without ${median(off)} ` +
        `(best ${Math.min(...off)})  ratio ${ratios.length > 0 ? median(ratios).toFixed(2) : '-'}`,
    )
  }
}

const names = positionals.length > 0 ? positionals : Object.keys(MECHANISMS)
const unknown = names.filter((name) => !(name in MECHANISMS))
if (unknown.length > 0) {
  console.error(`mechanisms: the mechanisms are ${Object.keys(MECHANISMS).join(', ')}`)
  process.exit(2)
}
const whole = build('whole')
for (const name of names) {
  const without = build(`without-${name}`, MECHANISMS[name])
  for (const each of MECHANISMS[name].exchanges) await compare(name, [whole, without], each)
}
