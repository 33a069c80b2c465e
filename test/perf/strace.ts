/** Counts the system calls of a program with strace. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeWith } from './tools.js'

const built = join(__dirname, '..', '..', 'dist', 'index.js')

export const describeWithStrace = (name: string, define: () => void) =>
  describeWith('strace', ['-o', '/dev/null', 'true'], name, define)

/** A path that does not exist: opening it is a mark in the trace. */
const MARK = '/nn-mark'

/** What programs begin with: the package, both ends of a conversation in `pair`, and mark(). */
const preamble = `
  const { openSync } = require('node:fs')
  const { Pub, Pull, Push, Rep, Req, Sub } = require('${built}')
  const mark = () => { try { openSync('${MARK}') } catch {} }
`

/** The names of the system calls between the two marks of a program, counted; all on its main thread. */
export function countCalls(text: string): Map<string, number> {
  const folder = mkdtempSync(join(tmpdir(), 'nn-'))
  const trace = join(folder, 'trace')
  try {
    const program = `${preamble}(async () => { ${text}; process.exit(0) })()`
    // Without -f only the main thread is traced: the event loop, and with it the engine.
    const args = ['-qq', '-o', trace, process.execPath, '-e', program]
    const { status, stderr } = spawnSync('strace', args, { encoding: 'utf8', timeout: 60_000 })
    if (status !== 0) throw new Error(`the traced program has failed (${status}): ${stderr}`)
    return countBetweenMarks(readFileSync(trace, 'utf8'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function countBetweenMarks(trace: string): Map<string, number> {
  const parts = trace.split(MARK)
  if (parts.length !== 3) throw new Error(`the trace has ${parts.length - 1} marks, not 2`)
  const counts = new Map<string, number>()
  // The first line is the rest of the mark, the last the beginning of the next one.
  for (const line of parts[1]!.split('\n').slice(1, -1)) {
    const name = line.match(/^(\w+)\(/)?.[1]
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return counts
}

/** How often the calls of these names were made. */
export function sum(counts: Map<string, number>, ...names: string[]): number {
  return names.reduce((total, name) => total + (counts.get(name) ?? 0), 0)
}
