// vitest's own settings, and counters. Programs that tests start count by themselves; vitest's processes do not, as
// both ways would take the counts from each other.
import { fileURLToPath } from 'node:url'
import { mergeConfig } from 'vitest/config'
import base from '../../vitest.config'

const root = fileURLToPath(new URL('../..', import.meta.url))

export default mergeConfig(base, {
  root,
  test: {
    env: { NODE_V8_COVERAGE: process.env.NN_COVERAGE_OF_PROGRAMS },
    reporters: ['default', ['json', { outputFile: `${root}build-coverage/vitest.json` }]],
    coverage: {
      enabled: true,
      provider: 'v8',
      include: ['lib/**'],
      experimentalAstAwareRemapping: true,
      reporter: ['lcovonly'],
      reportsDirectory: `${root}build-coverage/vitest`,
      reportOnFailure: true,
    },
  },
})
