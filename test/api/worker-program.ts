/** Programs that work for a test in processes of their own, until they are killed. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'

const dist = join(__dirname, '..', '..', 'dist')

/** It ends when this process ends, however that is. */
const preamble = `process.stdin.on('end', () => process.exit(1)).resume();
const { Pull, Push, Rep, Req, Respondent, Surveyor } = require('${dist}/index.js');
`

export interface WorkerProgram {
  /** Waits until it has printed this line once more. */
  printed(line: string): Promise<void>
  /** Kills it by SIGKILL, and waits for its end. */
  kill(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Starts the program, which has the classes and gets `process.argv[1]` and so on. */
export function startWorker(text: string, ...args: string[]): WorkerProgram {
  const child = spawn(process.execPath, ['-e', preamble + text, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const lines: string[] = []
  const waiting = new Set<() => void>()
  let rest = ''
  child.stdin.on('error', () => {})
  child.stdout.setEncoding('utf8').on('data', (data: string) => {
    const parts = (rest + data).split('\n')
    rest = parts.pop()!
    lines.push(...parts)
    for (const look of waiting) look()
  })
  const printed = (line: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        const place = lines.indexOf(line)
        if (place === -1) return
        lines.splice(place, 1)
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
      void ended.then(() => reject(new Error(`the program has ended without printing "${line}"`)))
    })
  const kill = async () => {
    child.kill('SIGKILL')
    await ended
  }
  return { printed, kill, [Symbol.asyncDispose]: kill }
}
