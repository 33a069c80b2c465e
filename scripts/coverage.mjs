// Runs the tests on builds that count, and prints what they reach in each folder: npm run coverage -- [flags]
//
//   --report          runs no test: prints what the last run has counted, in build-coverage
//   --c-only          leaves out vitest, and with it the figures of lib/ and of the binding
//   --uncovered PART  lists the lines and branches that no test reaches, in files whose path has PART
//
// native/ is compiled by clang with counters (scripts/coverage/native.mjs), lib/ is counted by V8 (lib.mjs). The
// command fails when a test fails, and when a figure is below its floor (floors.json).
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { countLib, runVitest } from './coverage/lib.mjs'
import { addonFolder, buildAddon, buildTests, countNative, forgetCounts, runCTests } from './coverage/native.mjs'
import { belowFloor, printTable, printUncovered } from './coverage/table.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const { values: flags } = parseArgs({
  options: {
    report: { type: 'boolean' },
    'c-only': { type: 'boolean' },
    uncovered: { type: 'string' },
  },
})
const settings = JSON.parse(readFileSync('scripts/coverage/floors.json', 'utf8'))
const floors = settings[flags['c-only'] ? 'c' : 'whole']

function runTests() {
  forgetCounts()
  buildTests()
  const hasPassed = runCTests()
  if (flags['c-only']) return hasPassed
  buildAddon()
  return runVitest(addonFolder) && hasPassed
}

const hasPassed = flags.report || runTests()
const files = { ...countNative(!flags['c-only']), ...(flags['c-only'] ? {} : countLib()) }
printTable(files)
if (flags.uncovered !== undefined) printUncovered(files, flags.uncovered)
const below = belowFloor(files, floors)
for (const text of below) console.log(`coverage: ${text}`)
if (!hasPassed) console.log('coverage: a test has failed')
process.exitCode = below.length > 0 || !hasPassed ? 1 : 0
