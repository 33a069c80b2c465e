// Comments end at column 120: clang-format and Biome lay out code, and leave comments as they are.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MAX_COLUMNS = 120
const root = fileURLToPath(new URL('..', import.meta.url))
const patterns = ['*.c', '*.h', '*.cc', '*.ts', '*.mjs']
const isComment = (line) => /^\s*(\/\/|\/\*|\*)/.test(line)

const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', ...patterns], {
  cwd: root,
  encoding: 'utf8',
})
let found = 0
for (const file of new Set(files.split('\0').filter(Boolean))) {
  for (const [index, line] of readFileSync(join(root, file), 'utf8').split('\n').entries()) {
    if ([...line].length <= MAX_COLUMNS || !isComment(line)) continue
    console.error(`${file}:${index + 1} is longer than ${MAX_COLUMNS} columns`)
    found++
  }
}
process.exitCode = found > 0 ? 1 : 0
