import { spawn } from 'node:child_process'

export interface Finished {
  exitCode: number | null
  /** Of both streams. */
  output: string
}

/** Runs a program to its end. */
export function runProgram(
  file: string,
  args: string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => {
        output += text
      })
    child.on('error', reject).on('close', (exitCode) => resolve({ exitCode, output }))
  })
}
