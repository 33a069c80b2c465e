import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'vitest'
import { until } from '../api/support.js'
import { companionShell, spawnCompanion } from './companion.js'

/** The processes of a group that have not ended. */
const members = (group: number) =>
  readdirSync('/proc').filter((pid) => {
    try {
      // pid (name) state parent group
      const [state, , itsGroup] = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')
      return Number(itsGroup) === group && state !== 'Z'
    } catch {
      return false
    }
  })

const browser = ['sh', '-c', 'sleep 600 & sleep 600 & wait']

/** Kills what is left of the group at the end of its scope. */
const killing = (group: number) => ({
  [Symbol.dispose]: () => {
    if (members(group).length > 0) process.kill(-group, 'SIGKILL')
  },
})

test('a companion and what it has started end when its runner is killed by SIGKILL', async () => {
  const text = `
    const { spawn } = require('node:child_process')
    const args = ${JSON.stringify(['-c', companionShell, 'sh', ...browser])}
    console.log(spawn('sh', args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true }).pid)`
  const runner = spawn(process.execPath, ['-e', text], { stdio: ['ignore', 'pipe', 'inherit'] })
  const group = Number(String((await once(runner.stdout, 'data'))[0]))
  using _ = killing(group)
  // The shell that runs the browser, its two, and the one that watches.
  await until(() => members(group).length === 4)
  runner.kill('SIGKILL')
  await until(() => members(group).length === 0)
})

test('a companion ends when its runner loses the process that started it', async () => {
  const [file, ...args] = browser
  const child = spawnCompanion(file!, args)
  using _ = killing(child.pid!)
  await until(() => members(child.pid!).length === 4)
  process.emit('disconnect')
  await until(() => members(child.pid!).length === 0)
})
