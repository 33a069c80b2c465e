// Reads lcov's format: SF (file), DA (line, count), BRDA (line, block, branch, count).
import { relative, resolve } from 'node:path'

/** By file, relative to the working folder: counts of lines, and branches. Records of one file are added up. */
export function parseLcov(text) {
  const files = {}
  let file
  for (const record of text.split('\n')) {
    const [kind, rest = ''] = record.split(/:(.*)/s)
    if (kind === 'SF') {
      const path = relative('.', resolve(rest))
      files[path] ??= { lines: new Map(), branches: new Map() }
      file = files[path]
    } else if (kind === 'DA') {
      const [line, count] = rest.split(',').map(Number)
      file.lines.set(line, (file.lines.get(line) ?? 0) + count)
    } else if (kind === 'BRDA') {
      const [line, , branch, taken] = rest.split(',').map((text) => Number(text) || 0)
      const key = `${line} ${branch}`
      const isTaken = taken > 0 || Boolean(file.branches.get(key)?.isTaken)
      file.branches.set(key, { line, branch, isTaken })
    }
  }
  for (const each of Object.values(files)) each.branches = [...each.branches.values()]
  return files
}
