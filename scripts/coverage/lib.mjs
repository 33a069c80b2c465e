// Counts the lines of lib/ that the tests of the package reach: what vitest loads itself, by its V8 provider, and what
// programs and Workers that tests start load from dist/, by Node.js (NODE_V8_COVERAGE). Programs that a signal ends say
// nothing.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseLcov } from './lcov.mjs'
import { tellLines } from './source-map.mjs'

const FOLDER = 'build-coverage'
/** The files of dist/ made again, with maps. */
const MAPS = join(FOLDER, 'maps')
const PROGRAMS = join(FOLDER, 'programs')
const IN_PROCESS = join(FOLDER, 'vitest')
const DIST = pathToFileURL(resolve('dist')).href
/** Tests of cost and memory, which counting changes, and of packages and runtimes that do not say what they run. */
const EXCLUDED = ['test/perf/**', 'test/package/**', 'test/runtimes/**', 'test/api/loads.test.ts']

/** Runs the package's tests on the addon. Whether all have passed. */
export function runVitest(addon) {
  for (const folder of [PROGRAMS, IN_PROCESS]) rmSync(folder, { recursive: true, force: true })
  mkdirSync(PROGRAMS, { recursive: true })
  execFileSync('npm', ['run', '--silent', 'build:ts'], { stdio: 'inherit' })
  const args = ['--no-install', 'vitest', 'run', '--config', 'scripts/coverage/vitest.config.ts']
  const env = { ...process.env, NANOMSG_NATIVE_PREBUILD: addon, NN_COVERAGE_OF_PROGRAMS: resolve(PROGRAMS) }
  const excluded = EXCLUDED.flatMap((pattern) => ['--exclude', pattern])
  return spawnSync('npx', [...args, ...excluded], { stdio: 'inherit', env }).status === 0
}

/** Whether each character has run: inner ranges stand behind the ones around them. */
function paint(functions, length) {
  const hasRun = new Uint8Array(length)
  for (const { ranges } of functions) {
    for (const { startOffset, endOffset, count } of ranges) hasRun.fill(count > 0 ? 1 : 0, startOffset, endOffset)
  }
  return hasRun
}

function* scriptsOf(folder) {
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    let report
    try {
      report = JSON.parse(readFileSync(join(folder, name), 'utf8'))
    } catch {
      continue // of a program that was killed as it wrote
    }
    for (const script of report.result) if (script.url.startsWith(`${DIST}/`)) yield script
  }
}

/** By file of lib/: the lines that programs have run. */
function linesOfPrograms() {
  execFileSync(process.execPath, ['scripts/bundle.mjs', '--maps', MAPS])
  const files = new Map()
  const lines = new Map()
  for (const { url, functions } of scriptsOf(PROGRAMS)) {
    const path = url.slice(DIST.length + 1)
    const map = join(MAPS, `${path}.map`)
    if (!existsSync(map)) continue
    if (!files.has(path)) files.set(path, { text: readFileSync(join('dist', path), 'utf8'), map })
    const file = files.get(path)
    tellLines(file, paint(functions, file.text.length), (source, line) => {
      const of = relative('', resolve(dirname(map), source))
      if (!lines.has(of)) lines.set(of, new Set())
      lines.get(of).add(line)
    })
  }
  return lines
}

/** By file of lib/: the counts of its lines. */
export function countLib() {
  const files = parseLcov(readFileSync(join(IN_PROCESS, 'lcov.info'), 'utf8'))
  const programs = linesOfPrograms()
  const counted = {}
  for (const [file, { lines }] of Object.entries(files)) {
    if (!file.startsWith('lib/')) continue
    const also = programs.get(file) ?? new Set()
    counted[file] = { lines: new Map([...lines].map(([line, n]) => [line, n || Number(also.has(line))])), branches: [] }
  }
  return counted
}
