/** Workers that alone have loaded the addon, and end while a thread of the engine resolves a name. */
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runProgram } from '../api/support.js'
import { describeNodes } from '../support/nodes.js'
import { ca, server } from '../tls/certificates.js'

const folder = mkdtempSync(join(tmpdir(), 'nn-names-'))
const preloaded = join(folder, 'held_names.so')

beforeAll(() => {
  execFileSync('cc', ['-shared', '-fPIC', '-o', preloaded, join(__dirname, 'held_names.c'), '-ldl'])
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let lastRun = 0

/** The environment of a program that waits for names. */
function holdingNames() {
  const names = join(folder, String(lastRun++))
  return { names, env: { ...process.env, LD_PRELOAD: preloaded, NN_NAMES: names } }
}

const until = `
  const { existsSync, readdirSync, writeFileSync } = require('node:fs')
  const until = async (condition) => { while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1)) }
  const threads = () => readdirSync('/proc/self/task').length`

describeNodes('the answer about a name, when the Worker that has asked is gone', ({ path }) => {
  test('finds the code that waits for it', async () => {
    const { names, env } = holdingNames()
    const { stdout, signal } = await runProgram(
      `${until}
      const worker = new (require('node:worker_threads').Worker)(${JSON.stringify(`${until}
        const { Push } = require('nanomsg-native')
        new Push({ linger: 0 }).connect('tcp://localhost:9')
        until(() => existsSync('${names}.asked')).then(() => process.exit())`)}, { eval: true })
      worker.on('exit', async () => {
        const waiting = threads()
        writeFileSync('${names}.answer', '')
        await until(() => existsSync('${names}.answered') && threads() < waiting)
        console.log('alive')
      })`,
      { node: path, env },
    )
    expect([signal, stdout]).toEqual([null, 'alive\n'])
  })

  test('and so does every one of many Workers that are terminated', async () => {
    const { env } = holdingNames()
    const keys = { NN_CA: ca.cert, NN_CERT: server.cert, NN_KEY: server.key }
    const program = join(__dirname, 'terminations.cjs')
    // Names stay without an answer: their threads are the only ones that remain.
    const { stdout } = await promisify(execFile)(path, [program, '2'], { env: { ...env, ...keys }, timeout: 100_000 })
    const { descriptors, threads } = JSON.parse(stdout) as { descriptors: number; threads: number }
    expect(descriptors).toBe(0)
    expect(threads).toBeLessThanOrEqual(16)
  }, 120_000)
})
