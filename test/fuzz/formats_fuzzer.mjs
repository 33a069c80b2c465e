// Nanocat's formats: what is printed of any message can be read back, and nothing that terminals act on comes through.
// node formats_fuzzer.mjs CORPUS [--seconds N] [--seed N]; without a time the corpus is run once.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { decode } from '@msgpack/msgpack'

const cli = fileURLToPath(new URL('../../dist/cli', import.meta.url))
if (!existsSync(cli)) {
  console.error('formats: there is no dist/cli; npm run build:ts makes it')
  process.exit(1)
}
const require = createRequire(import.meta.url)
const { actsOnTerminal, loadFormatter } = require(join(cli, 'formats.js'))
const { linesOf } = require(join(cli, 'lines.js'))
const { parseFloatingPoint, toMilliseconds } = require(join(cli, 'seconds.js'))

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string' }, seed: { type: 'string' } },
})
let state = BigInt(flags.seed ?? Date.now()) | 1n
const MASK = (1n << 64n) - 1n

function random(limit) {
  state ^= state >> 12n
  state = (state ^ (state << 25n)) & MASK
  state ^= state >> 27n
  return Number(((state * 0x2545f4914f6cdd1dn) & MASK) >> 33n) % limit
}

// ---- What must hold ----

const names = ['raw', 'ascii', 'quoted', 'hex', 'msgpack', 'json']
const formatters = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await loadFormatter(name)])))

function check(condition, what, bytes) {
  if (!condition) throw new Error(`${what}: ${Buffer.from(bytes).toString('base64')}`)
}

const named = { n: 10, r: 13, '"': 34, '\\': 92 }

/** The bytes that a line in quotes stands for. */
function readQuoted(line) {
  const bytes = []
  for (let index = 1; index < line.length - 2; index++) {
    if (line[index] !== '\\') bytes.push(line.charCodeAt(index))
    else if (line[index + 1] === 'x') {
      bytes.push(Number.parseInt(line.slice(index + 2, index + 4), 16))
      index += 3
    } else bytes.push(named[line[++index]])
  }
  return Buffer.from(bytes)
}

function checkFormats(bytes) {
  const printed = Object.fromEntries(names.map((name) => [name, Buffer.from(formatters[name](bytes))]))
  check(printed.raw.equals(bytes), 'raw changes a message', bytes)
  check(printed.ascii.length === bytes.length + 1, 'ascii changes the length', bytes)
  check(readQuoted(printed.quoted.toString('latin1')).equals(bytes), 'quoted cannot be read back', bytes)
  check(readQuoted(printed.hex.toString('latin1')).equals(bytes), 'hex cannot be read back', bytes)
  check(Buffer.from(decode(printed.msgpack)).equals(bytes), 'msgpack cannot be read back', bytes)
  const { length, text, base64 } = JSON.parse(printed.json.toString())
  check(length === bytes.length, 'json has another length', bytes)
  check(Buffer.from(text ?? base64, text === undefined ? 'base64' : 'utf8').equals(bytes), 'json differs', bytes)
  for (const name of ['ascii', 'quoted', 'hex', 'json']) {
    check(!actsOnTerminal(printed[name]), `${name} lets a terminal be acted on`, bytes)
    check(printed[name].indexOf(10) === printed[name].length - 1, `${name} is not one line`, bytes)
  }
}

/** Lines are the same however the stream is cut. */
async function checkLines(bytes) {
  const pieces = []
  for (let start = 0; start < bytes.length; ) {
    const end = Math.min(bytes.length, start + 1 + random(16))
    pieces.push(bytes.subarray(start, end))
    start = end
  }
  const lines = []
  for await (const line of linesOf(Readable.from(pieces), new AbortController().signal)) lines.push(line)
  const expected = bytes.toString('latin1').split('\n')
  if (expected.at(-1) === '') expected.pop()
  check(lines.map((line) => Buffer.from(line).toString('latin1')).join('\n') === expected.join('\n'), 'lines', bytes)
}

function checkSeconds(bytes) {
  const number = parseFloatingPoint(bytes.toString('latin1'))
  if (number === undefined) return
  const milliseconds = toMilliseconds(number)
  check(
    milliseconds === undefined || (Number.isInteger(milliseconds) && milliseconds >= 0 && milliseconds < 2 ** 31),
    'seconds are out of range',
    bytes,
  )
}

async function runOne(bytes) {
  checkFormats(bytes)
  checkSeconds(bytes)
  await checkLines(bytes)
}

// ---- Inputs ----

const corpus = readdirSync(positionals[0]).map((file) => readFileSync(join(positionals[0], file)))
const pieces = [
  '\n',
  '\r',
  '"',
  '\\',
  '\\x',
  '\u009b',
  '\u202e',
  '\u2028',
  '\u2066',
  '\x7f',
  '\x1b[',
  '𝄞',
  '0x1p',
  'inf',
]

function mutate(bytes) {
  const other = corpus[random(corpus.length)]
  const at = random(bytes.length + 1)
  switch (random(5)) {
    case 0:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from([random(256)]), bytes.subarray(at)])
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(4))])
    case 2:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(pieces[random(pieces.length)]), bytes.subarray(at)])
    case 3:
      return Buffer.concat([bytes.subarray(0, at), other.subarray(random(other.length + 1))])
    default: {
      const changed = Buffer.from(bytes)
      if (at < changed.length) changed[at] ^= 1 << random(8)
      return changed
    }
  }
}

let runs = 0
for (const bytes of corpus) {
  await runOne(bytes)
  runs++
}
for (const end = Date.now() + 1000 * Number(flags.seconds ?? 0); Date.now() < end; runs++) {
  let bytes = corpus[random(corpus.length)]
  for (let count = 1 + random(8); count > 0; count--) bytes = mutate(bytes)
  await runOne(bytes.subarray(0, 4096))
}
console.log(`Done ${runs} runs`)
