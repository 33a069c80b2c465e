// npm run platforms [-- --list | --only STAGE ...]: what this machine can try of all platforms and runtimes. Goes on
// after a stage has failed, and ends with a line for each.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { stages } from './stages.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))

const isThere = (need) =>
  need.includes('/') ? existsSync(join(root, need)) : spawnSync('sh', ['-c', `command -v ${need}`]).status === 0

function choose(names) {
  const unknown = names.find((name) => !stages.some((stage) => stage.name === name))
  if (unknown !== undefined)
    throw new Error(`there is no stage ${unknown}; there are ${stages.map(({ name }) => name).join(', ')}`)
  return names.length === 0 ? stages : stages.filter(({ name }) => names.includes(name))
}

/** Why the stage has failed; undefined when it has not. */
function failureOf(stage) {
  const missing = stage.needs.filter((need) => !isThere(need))
  if (missing.length > 0) return `needs ${missing.join(', ')}: run scripts/install-test-tools --platforms`
  for (const [command, ...args] of stage.run) {
    console.log(`$ ${[command, ...args].join(' ')}`)
    const env = { ...process.env, NN_PLATFORMS: '1' }
    const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env })
    if (status !== 0) return `${command} ended with ${error?.message ?? signal ?? status}`
  }
  return undefined
}

function main() {
  const { values } = parseArgs({ options: { list: { type: 'boolean' }, only: { type: 'string', multiple: true } } })
  if (values.list) {
    for (const { name, says } of stages) console.log(`${name.padEnd(16)} ${says}`)
    return
  }
  const lines = choose(values.only ?? []).map((stage) => {
    console.log(`\n==== ${stage.name}: ${stage.says} ====`)
    const begin = performance.now()
    const failure = failureOf(stage)
    const seconds = ((performance.now() - begin) / 1000).toFixed(0)
    if (failure !== undefined) process.exitCode = 1
    return `${stage.name.padEnd(16)} ${`${seconds} s`.padStart(7)}  ${failure === undefined ? 'passed' : `FAILED: ${failure}`}`
  })
  console.log(`\n${lines.join('\n')}`)
}

try {
  main()
} catch (error) {
  console.error(`platforms: ${error.message}`)
  process.exitCode = 1
}
