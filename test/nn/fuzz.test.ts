// Nothing that is passed in ends the process, or makes a call hang.
import fc from 'fast-check'
import { test } from 'vitest'
import { makeWorld, parameters, runAll, step } from './fuzzing.js'

test('whatever is passed in, calls return or fail with a code', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), (steps) => runAll(makeWorld(), steps)),
    parameters(1500),
  )
}, 600_000)
