// Layers of lib/.
import { join } from 'node:path'
import { files, lines } from './files.mjs'

/** Each line outside lib/engine/load.ts that touches the addon. */
export function checkLib() {
  const problems = []
  for (const file of files('lib', /\.ts$/)) {
    if (file === join('lib', 'engine', 'load.ts')) continue
    lines(file).forEach((line, index) => {
      if (/['"]node-gyp-build['"]|\.node['"]/.test(line))
        problems.push(`${file}:${index + 1}: only lib/engine/load.ts touches the addon`)
    })
  }
  return problems
}
