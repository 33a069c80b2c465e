#!/usr/bin/env node
import { processEnvironment } from './environment.js'
import { interruptions } from './exit.js'
import { run } from './run.js'

async function main() {
  const exitCode = await run(process.argv.slice(2), processEnvironment())
  for (const [signal, code] of Object.entries(interruptions)) {
    // The parent process learns by which signal this one ended.
    if (exitCode === code) process.kill(process.pid, signal)
  }
  process.exitCode = exitCode
}

void main()
