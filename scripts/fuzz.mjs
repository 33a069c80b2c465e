// Fuzzes, two fuzzers at a time: npm run fuzz -- [--minutes N] [--only NAME] [--replay | --coverage | --minimize]
//
//   --minutes N   for each fuzzer (1); --seconds N likewise
//   --only NAME   one fuzzer: a name of test/fuzz/corpus
//   --replay      runs the kept inputs once
//   --coverage    prints the lines that the kept inputs reach, by folder, and fails below 95 % of one
//   --minimize    keeps what earlier runs have found that reaches more, and drops what reaches nothing more
//
// New inputs are put into build-fuzz/corpus, findings into build-fuzz/findings, the numbers of fuzzers that have passed
// into build-fuzz/fuzz.json, for scripts/summary.mjs.
import { execFileSync, spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seconds: { type: 'string' },
    only: { type: 'string' },
    replay: { type: 'boolean' },
    coverage: { type: 'boolean' },
    minimize: { type: 'boolean' },
  },
})
const seconds = flags.seconds ? Number(flags.seconds) : Number(flags.minutes ?? 1) * 60
const folder = flags.coverage ? 'build-fuzz-coverage' : 'build-fuzz'
const COVERED = ['native/streams', 'native/protocols', 'native/util/http_head.c', 'native/api/control_data.c']
const COVERED_PERCENT = 95
const RUNNER_OPTIONS = ['-timeout=60', '-rss_limit_mb=4096', '-print_final_stats=1', '-max_len=4096']

const names = readdirSync('test/fuzz')
  .filter((file) => /_fuzzer\.(c|mjs)$/.test(file))
  .map((file) => file.replace(/_fuzzer\.(c|mjs)$/, ''))
  .filter((name) => flags.only === undefined || flags.only === name)
if (names.length === 0 || !(seconds > 0)) {
  console.error(`fuzz: ${names.length === 0 ? `there is no fuzzer ${flags.only}` : 'the time is no positive number'}`)
  process.exit(1)
}

const corpusOf = (name) => join('test/fuzz/corpus', name)
const isScript = (name) => existsSync(join('test/fuzz', `${name}_fuzzer.mjs`))
const programOf = (name) => join(folder, 'test/fuzz', `${name}_fuzzer`)

/** Compiles the C fuzzers; those of JavaScript run what npm run build:ts has written. */
function build() {
  const coverage = '-fprofile-instr-generate -fcoverage-mapping'
  const settings = flags.coverage ? [`-DCMAKE_C_FLAGS=${coverage}`] : ['-DNN_FUZZ=ON', '-DNN_SANITIZE=address']
  const env = { ...process.env, CC: process.env.NN_CLANG ?? 'clang' }
  const targets = names.filter((name) => !isScript(name)).map((name) => `${name}_fuzzer`)
  if (targets.length === 0) return
  execFileSync('cmake', ['-S', '.', '-B', folder, ...settings], { env, stdio: ['ignore', 'ignore', 'inherit'] })
  execFileSync('cmake', ['--build', folder, '-j', String(availableParallelism()), '--target', ...targets], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

/** Runs a program to its end. Resolves to its status and what it has printed. */
function run(command, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (bytes) => (output += bytes))
    child.stderr.on('data', (bytes) => (output += bytes))
    child.on('close', (code) => resolve({ code, output }))
  })
}

function commandOf(name) {
  if (isScript(name)) {
    const args = [join('test/fuzz', `${name}_fuzzer.mjs`), corpusOf(name)]
    return ['node', flags.replay ? args : [...args, '--seconds', String(seconds)]]
  }
  const found = join(folder, 'corpus', name)
  const dictionary = join('test/fuzz', `${name}.dict`)
  mkdirSync(found, { recursive: true })
  mkdirSync(join(folder, 'findings'), { recursive: true })
  const args = [...RUNNER_OPTIONS, `-artifact_prefix=${join(process.cwd(), folder, 'findings', `${name}-`)}`]
  if (existsSync(dictionary)) args.push(`-dict=${dictionary}`)
  if (flags.replay) return [programOf(name), [...args, '-runs=0', resolveFolder(corpusOf(name))]]
  return [programOf(name), [...args, `-max_total_time=${seconds}`, found, corpusOf(name)].map(resolveFolder)]
}

/** Fuzzers may change their working folder. */
function resolveFolder(argument) {
  return argument.startsWith('-') ? argument : join(process.cwd(), argument)
}

/** "N runs" of libFuzzer and of the fuzzers in JavaScript. */
function runsOf(output) {
  return Number(/Done (\d+) runs/.exec(output)?.[1] ?? /number_of_executed_units: (\d+)/.exec(output)?.[1] ?? 0)
}

async function fuzzOne(name, total) {
  const start = Date.now()
  const { code, output } = await run(...commandOf(name))
  const took = (Date.now() - start) / 1000
  const runs = runsOf(output)
  if (code === 0 && runs > 0) {
    total.passed++
    console.log(`${name}: ${runs} runs in ${took.toFixed(0)} s`)
  } else {
    total.failed++
    console.log(`${output.split('\n').slice(-60).join('\n')}\n${name}: FAILED after ${took.toFixed(1)} s`)
  }
}

/** As many at a time as there are processors. */
async function inParallel(task) {
  const waiting = [...names]
  const worker = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) await task(name)
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
}

async function fuzz() {
  const total = { passed: 0, failed: 0 }
  await inParallel((name) => fuzzOne(name, total))
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'fuzz.json'), JSON.stringify(total))
  console.log(`${total.passed} passed, ${total.failed} failed`)
  process.exitCode = total.failed > 0 ? 1 : 0
}

// ---- The corpus ----

/** Inputs that have found a fault stay, under the names that they were given; libFuzzer's are digests. */
function keepNamed(from, to) {
  for (const file of readdirSync(from)) if (!/^[0-9a-f]{40}$/.test(file)) copyFileSync(join(from, file), join(to, file))
}

async function minimize(name) {
  if (isScript(name)) return
  const old = join(folder, `old-${name}`)
  rmSync(old, { recursive: true, force: true })
  if (existsSync(corpusOf(name))) renameSync(corpusOf(name), old)
  mkdirSync(old, { recursive: true })
  mkdirSync(corpusOf(name), { recursive: true })
  const found = join(folder, 'corpus', name)
  mkdirSync(found, { recursive: true })
  const folders = [corpusOf(name), old, found].map(resolveFolder)
  const { code, output } = await run(programOf(name), ['-merge=1', '-max_len=8192', ...folders])
  if (code !== 0) {
    rmSync(corpusOf(name), { recursive: true, force: true })
    renameSync(old, corpusOf(name))
    console.error(output.split('\n').slice(-20).join('\n'))
    process.exitCode = 1
  } else {
    keepNamed(old, corpusOf(name))
    rmSync(old, { recursive: true, force: true })
    console.log(`${name}: ${readdirSync(corpusOf(name)).length} inputs`)
  }
}

// ---- Coverage ----

/** Returns what is covered too little. */
function printCoverage(files) {
  const folders = new Map()
  for (const { filename, summary } of files) {
    const file = relative(process.cwd(), filename)
    const covered = COVERED.find((path) => file.startsWith(path))
    if (covered === undefined || summary.lines.count === 0) continue
    const sum = folders.get(covered) ?? { count: 0, covered: 0, files: [] }
    sum.count += summary.lines.count
    sum.covered += summary.lines.covered
    sum.files.push([basename(file), summary.lines])
    folders.set(covered, sum)
  }
  const line = (name, lines) =>
    console.log(
      `${name.padEnd(36)}${String(lines.covered).padStart(6)} of ${String(lines.count).padStart(5)}  ${((100 * lines.covered) / lines.count).toFixed(1)} %`,
    )
  for (const [name, sum] of folders) {
    for (const [file, lines] of sum.files)
      if (lines.covered < lines.count && name.indexOf('.') < 0) line(`  ${file}`, lines)
    line(name, sum)
  }
  return [...folders].filter(([, sum]) => 100 * sum.covered < COVERED_PERCENT * sum.count).map(([name]) => name)
}

async function coverage() {
  const programs = names.filter((name) => !isScript(name))
  const profiles = programs.map((name) => join(process.cwd(), folder, `${name}.profraw`))
  for (const [index, name] of programs.entries()) {
    const { code, output } = await run(programOf(name), [resolveFolder(corpusOf(name))], {
      LLVM_PROFILE_FILE: profiles[index],
    })
    if (code !== 0) throw new Error(`${name}: ${output}`)
  }
  const merged = join(folder, 'all.profdata')
  execFileSync('llvm-profdata', ['merge', '-o', merged, ...profiles])
  const objects = programs.slice(1).flatMap((name) => ['-object', programOf(name)])
  const report = execFileSync(
    'llvm-cov',
    ['export', '-summary-only', programOf(programs[0]), ...objects, `-instr-profile=${merged}`],
    { maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const missed = printCoverage(JSON.parse(report).data[0].files)
  if (flags.only !== undefined || missed.length === 0) return
  console.error(`fuzz: the kept inputs reach less than ${COVERED_PERCENT} % of ${missed.join(', ')}`)
  process.exitCode = 1
}

build()
if (flags.minimize) await inParallel(minimize)
else if (flags.coverage) await coverage()
else await fuzz()
