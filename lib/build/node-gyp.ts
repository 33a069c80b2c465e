import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'

const SCRIPT = 'node_modules/node-gyp/bin/node-gyp.js'

/** The one that comes with npm, which comes with Node.js. */
function ofNpm(): string | undefined {
  const prefix = dirname(dirname(realpathSync(process.execPath)))
  // npm run, npx and npm exec name their own file.
  const { npm_execpath: npm } = process.env
  const homes = [
    join(prefix, 'lib/node_modules/npm'),
    join(prefix, 'share/nodejs/npm'),
    ...(npm === undefined ? [] : [join(dirname(npm), '..')]),
  ]
  return homes.map((home) => join(home, SCRIPT)).find((path) => existsSync(path))
}

function ofProject(): string | undefined {
  try {
    return require.resolve('node-gyp/bin/node-gyp.js')
  } catch {
    return undefined
  }
}

/** The command that runs node-gyp: that of the project, of npm, or one that npx gets. */
export function findNodeGyp(): [string, ...string[]] {
  const script = ofProject() ?? ofNpm()
  return script === undefined ? ['npx', '--yes', 'node-gyp'] : [process.execPath, script]
}
