import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'vitest'

const versions = ['20', '22', '24', '26'] as const
const installed = join(__dirname, '..', 'nodes', 'node_modules')

/** A program that runs on the Node.js at `path`. */
export interface NodeVersion {
  version: (typeof versions)[number]
  path: string
}

const isRunning = (version: string) => process.versions.node.startsWith(`${version}.`)

/** The program of a version of Node.js, if it is installed. */
export const pathOfNode = (version: string) => {
  if (isRunning(version)) return process.execPath
  const path = join(installed, `node${version}`, 'bin', 'node')
  return existsSync(path) ? path : undefined
}

/** Whether the programs can run here: the packages hold those for Linux on x64. */
const runs = (path: string) => {
  try {
    return execFileSync(path, ['-p', '1'], { encoding: 'utf8' }) === '1\n'
  } catch {
    return false
  }
}

/**
 * Describes the same tests on each version of Node.js. Versions that are not installed are skipped, and said to be;
 * where peers are required (NN_REQUIRE_PEERS=1) that is a failure. `scripts/install-test-tools` installs them.
 */
export function describeNodes(name: string, define: (node: NodeVersion) => void): void {
  for (const version of versions) {
    const title = `${name}, on Node.js ${version}`
    const path = pathOfNode(version)
    if (path !== undefined && runs(path)) {
      describe(title, () => define({ version, path }))
    } else if (process.env.NN_REQUIRE_PEERS === '1') {
      test(title, () => {
        throw new Error(`Node.js ${version} is required here: scripts/install-test-tools installs it`)
      })
    } else {
      console.log(`skipped: ${title}; scripts/install-test-tools installs it`)
      describe.skip(title, () => define({ version, path: process.execPath }))
    }
  }
}
