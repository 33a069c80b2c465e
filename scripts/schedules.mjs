// Random schedules of calls: npm run schedules -- [--seeds N] [--seconds S] [--seed X] [--builds address,thread,none]
// Each seed takes S seconds in each build. A failure says its seed; --seed X --seeds 1 runs it again.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    builds: { type: 'string', default: 'address,thread,none' },
  },
})

// Besides the time of the calls, what begins and ends takes a while.
const deadlineMs = (Number(values.seconds) + 60) * 1000
const env = {
  ...process.env,
  NN_SCHEDULES_SEED: values.seed,
  NN_SCHEDULES_SEEDS: values.seeds,
  NN_SCHEDULES_SECONDS: values.seconds,
  NN_TEST_DEADLINE_MS: String(deadlineMs),
}

function run(command, args) {
  const { status } = spawnSync(command, args, { stdio: 'inherit', env })
  return status === 0
}

function schedules(build) {
  const folder = build === 'none' ? 'build-test' : `build-test-${build}`
  // No test has this name: it is built, and nothing is run.
  run('bash', ['scripts/test-native', build, '-R', '^$'])
  if (!existsSync(`${folder}/schedules_test`)) return false
  console.log(`${build}: ${values.seeds} seeds from ${values.seed}, ${values.seconds} s each`)
  const withoutRandomAddresses = build === 'thread' ? ['setarch', '-R'] : ['env']
  return run(withoutRandomAddresses[0], [...withoutRandomAddresses.slice(1), `${folder}/schedules_test`])
}

const failed = values.builds.split(',').filter((build) => !schedules(build))
for (const build of failed) console.log(`failed: ${build}`)
process.exitCode = failed.length > 0 ? 1 : 0
