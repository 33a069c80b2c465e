// Programs in the documentation: each compiles, runs, ends by itself and prints what its comments say.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const project = resolve(__dirname, '../..')
const pages = ['README.md', 'docs/guide.md', 'docs/moving.md', 'docs/nn.md']

interface Example {
  readonly name: string
  readonly file: string
  readonly text: string
  /** What it says it prints. */
  readonly expected: string[]
}

/** Blocks that begin with an import are whole programs, others are parts of one. */
function examplesOf(page: string): Example[] {
  const source = readFileSync(join(project, page), 'utf8')
  return [...source.matchAll(/^```(?:ts|js)\n(import [\s\S]*?)^```$/gm)].map(({ index, 1: text = '' }) => {
    const line = source.slice(0, index).split('\n').length + 1
    const expected = [...text.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, words]) => words!)
    return { name: `${page}:${line}`, file: `${page.replaceAll(/\W/g, '-')}-${line}`, text, expected }
  })
}

const examples = pages.flatMap(examplesOf)
let folder: string
const fileOf = ({ file }: Example, extension: string) => join(folder, `${file}.${extension}`)

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nanomsg-docs-'))
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(project, join(folder, 'node_modules/nanomsg-native'))
  for (const example of examples) {
    // Paths of sockets are fixed in the text; here each run has its own.
    const text = example.text.replaceAll('ipc:///tmp/', `ipc://${folder}/`)
    const { outputText } = ts.transpileModule(text, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    })
    writeFileSync(fileOf(example, 'mts'), text)
    writeFileSync(fileOf(example, 'mjs'), outputText)
  }
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function run(...args: string[]): Promise<{ error: string; stdout: string }> {
  return new Promise((settle) => {
    execFile(process.execPath, args, { timeout: 100_000, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      settle({ error: error === null ? stderr : `${error.signal ?? error.code}: ${stderr}`, stdout })
    })
  })
}

describe('a program in the documentation', () => {
  test('is on every page', () => {
    expect(pages.filter((page) => !examples.some(({ name }) => name.startsWith(page)))).toEqual([])
  })

  test.concurrent.each(examples)(
    'prints what it says it prints ($name)',
    async (example) => {
      const { error, stdout } = await run(fileOf(example, 'mjs'))
      expect({ error, printed: stdout.trimEnd().split('\n') }).toEqual({ error: '', printed: example.expected })
      expect(example.expected).not.toEqual([])
    },
    30_000,
  )

  test('has the right types', async () => {
    const tsc = join(project, 'node_modules/typescript/bin/tsc')
    const options = ['--noEmit', '--strict', '--module', 'node16', '--target', 'es2022', '--skipLibCheck']
    const types = ['--types', 'node', '--typeRoots', join(project, 'node_modules/@types')]
    const files = examples.map((example) => fileOf(example, 'mts'))
    expect(await run(tsc, ...options, ...types, ...files)).toEqual({ error: '', stdout: '' })
  }, 120_000)
})
