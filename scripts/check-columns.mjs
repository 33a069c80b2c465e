// Comments and the prose of pages end at column 120: clang-format and Biome lay out code, and leave both as they are.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MAX_COLUMNS = 120
const root = fileURLToPath(new URL('..', import.meta.url))
const patterns = ['*.c', '*.h', '*.cc', '*.ts', '*.mjs', '*.cjs', '*.md']

const isComment = (line) => /^\s*(\/\/|\/\*|\*)/.test(line)
const isFence = (line) => /^\s*(```|~~~)/.test(line)
/** A row of a table cannot go on in the next line, nor can a word. */
const canBeBroken = (line) => !/^\s*\|/.test(line) && /\S \S/.test(line.replace(/^\s*([-*+]|\d+\.) /, ''))

/** Whether a line is text that can end earlier. Code within a page is laid out as code. */
function proseOf(file) {
  if (!file.endsWith('.md')) return isComment
  let isCode = false
  return (line) => {
    if (isFence(line)) isCode = !isCode
    return !isCode && canBeBroken(line)
  }
}

const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', ...patterns], {
  cwd: root,
  encoding: 'utf8',
})
let found = 0
for (const file of new Set(files.split('\0').filter(Boolean))) {
  const isProse = proseOf(file)
  for (const [index, line] of readFileSync(join(root, file), 'utf8').split('\n').entries()) {
    if (!isProse(line) || [...line].length <= MAX_COLUMNS) continue
    console.error(`${file}:${index + 1} is longer than ${MAX_COLUMNS} columns`)
    found++
  }
}
process.exitCode = found > 0 ? 1 : 0
