// Adds up what ctest, vitest and the fuzzers have counted in build folders: node scripts/summary.mjs build-test ...
// Fails when a test failed or nothing was counted, and with NN_REQUIRE_PEERS=1 when a test was skipped.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const total = { passed: 0, failed: 0 }
const skipped = []

/** Programs end with "N passed, M failed"; one without that line has crashed or could not start. */
function addCtest(log) {
  for (const program of log.split(/^\d+\/\d+ Testing: /m).slice(1)) {
    const counted = [...program.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1)
    const [passed, failed] = counted ? [Number(counted[1]), Number(counted[2])] : [0, 0]
    const isReportedFailure = /^Test (Failed|timeout)/im.test(program) || !/^Test Passed\.$/m.test(program)
    total.passed += passed
    total.failed += isReportedFailure ? Math.max(failed, 1) : failed
  }
}

function addVitest(report) {
  for (const file of report.testResults) {
    if (file.assertionResults.length === 0 && file.status === 'failed') total.failed++
    for (const test of file.assertionResults) {
      if (test.status === 'passed' || test.status === 'failed') total[test.status]++
      else skipped.push(test.fullName)
    }
  }
}

/** One for each fuzzer: scripts/fuzz.mjs writes it. */
function addFuzzers(counted) {
  total.passed += counted.passed
  total.failed += counted.failed
}

for (const folder of process.argv.slice(2)) {
  const ctestLog = join(folder, 'Testing/Temporary/LastTest.log')
  const vitestReport = join(folder, 'vitest.json')
  if (existsSync(ctestLog)) addCtest(readFileSync(ctestLog, 'utf8'))
  const fuzzReport = join(folder, 'fuzz.json')
  if (existsSync(fuzzReport)) addFuzzers(JSON.parse(readFileSync(fuzzReport, 'utf8')))
  if (existsSync(vitestReport)) addVitest(JSON.parse(readFileSync(vitestReport, 'utf8')))
}

if (skipped.length > 0) {
  console.log(`${skipped.length} skipped`)
  if (process.env.NN_REQUIRE_PEERS === '1') {
    for (const name of skipped) console.log(`  may not be skipped here: ${name}`)
    total.failed += skipped.length
  }
}
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0
