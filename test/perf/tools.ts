/** Programs that watch others, and that need not be installed. */
import { spawnSync } from 'node:child_process'
import { describe, test } from 'vitest'

/**
 * Without the tool the tests are skipped, and said to be; where peers are required that is a failure.
 *
 * @param trial a command that succeeds where the tool is there and may do its work
 */
export function describeWith(tool: string, trial: readonly string[], name: string, define: () => void): void {
  if (spawnSync(tool, trial).status === 0) {
    describe(name, define)
  } else if (process.env.NN_REQUIRE_PEERS === '1') {
    test(name, () => {
      throw new Error(`${tool} is required here, and the right to use it: scripts/install-test-tools installs it`)
    })
  } else {
    console.log(`skipped: ${name}; scripts/install-test-tools installs ${tool}`)
    describe.skip(name, define)
  }
}
