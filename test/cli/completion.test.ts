import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commandNames } from '../../lib/cli/commands/names.js'
import { options } from '../../lib/cli/options.js'
import { nanocat } from './in-process.js'
import { links, temporaryFolder } from './programs.js'

const script = async (shell: string) => (await nanocat('completion', shell)).stdout

const isInstalled = (shell: string) => spawnSync(shell, ['-c', 'exit']).status === 0

/** Runs a script of a shell without the files of its user. */
function runIn(shell: string, text: string) {
  using folder = temporaryFolder()
  const file = join(folder.path, 'script')
  writeFileSync(file, text)
  const noFiles = { bash: ['--norc'], zsh: ['-f'], fish: ['--no-config'] }[shell]!
  const env = { ...process.env, HOME: folder.path, XDG_CONFIG_HOME: folder.path, XDG_DATA_HOME: folder.path }
  const { status, stdout, stderr } = spawnSync(shell, [...noFiles, file], { encoding: 'utf8', env })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return stdout.split('\n').filter((line) => line !== '')
}

const everyName = options.map(({ name }) => `--${name}`)

describe('in bash', () => {
  /** What is proposed for the last word. */
  async function proposals(...words: string[]) {
    const list = words.map((word) => `'${word}'`).join(' ')
    return runIn(
      'bash',
      `${await script('bash')}
      COMP_WORDS=(${list}) COMP_CWORD=${words.length - 1}
      _nanocat
      printf '%s\\n' "\${COMPREPLY[@]}"`,
    )
  }

  test('all options are proposed', async () => {
    expect(await proposals('nanocat', '-')).toEqual(expect.arrayContaining([...everyName, '-A', '-D']))
    expect(await proposals('nanocat', '--pull', '--re')).toEqual(['--req', '--rep', '--respondent', '--recv-timeout'])
  })

  test('the first word may be a command', async () => {
    expect(await proposals('nanocat', '')).toEqual([...commandNames])
    expect(await proposals('nanocat', 'b')).toEqual(['bench'])
  })

  test('formats are proposed for --format, ours too, with and without "="', async () => {
    const formats = ['no', 'raw', 'ascii', 'quoted', 'msgpack', 'hex', 'json']
    expect(await proposals('nanocat', '--pull', '--format', '')).toEqual(formats)
    expect(await proposals('nanocat', '--pull', '--format', '=')).toEqual(formats)
    expect(await proposals('nanocat', '--pull', '--format', '=', 'ra')).toEqual(['raw'])
  })

  test('nothing is proposed where anything may stand, and files where a path stands', async () => {
    expect(await proposals('nanocat', '--pull', '--bind', '')).toEqual([])
    expect(await proposals('nanocat', '-D', 'p')).toEqual([])
    expect(await proposals('nanocat', '--push', '-F', '/etc/host')).toContain('/etc/hosts')
    expect(await proposals('nanocat', '--cert', '/etc/host')).toContain('/etc/hosts')
  })

  test('commands have words of their own', async () => {
    expect(await proposals('nanocat', 'completion', '')).toEqual(['bash', 'zsh', 'fish'])
    expect(await proposals('nanocat', 'bench', 'l')).toEqual(['lat'])
    expect(await proposals('nanocat', 'device', '--pip')).toEqual(['--pipeline'])
    expect(await proposals('nanocat', 'help', 'd')).toEqual(['device'])
  })

  test('a name that stands for a socket type has no commands', async () => {
    expect(await proposals('nn_pull', 'b')).toEqual([])
    expect(await proposals('/usr/bin/nn_pull', '')).toEqual(expect.arrayContaining(everyName))
    expect(await proposals('nn_pull', 'bench', '--as')).toEqual(['--ascii'])
  })

  test('the script is for all names of the program', async () => {
    const text = `${await script('bash')}\ncomplete -p nanocat ${links.join(' ')}`
    expect(runIn('bash', text)).toEqual(['nanocat', ...links].map((name) => `complete -F _nanocat ${name}`))
  })
})

describe.skipIf(!isInstalled('zsh'))('in zsh', () => {
  /** The arguments that the script gives to functions of the completion system. */
  async function calls(...words: string[]) {
    return runIn(
      'zsh',
      `_arguments() { print -rl -- "$@" }
      compadd() { shift; print -rl -- "$@" }
      compdef() { }
      ${await script('zsh')}
      words=(${words.map((word) => `'${word}'`).join(' ')}) CURRENT=${words.length}
      _nanocat`,
    )
  }

  test('all options are proposed, with descriptions and what may follow', async () => {
    const specifications = await calls('nanocat', '--pull', '-')
    for (const name of everyName) {
      expect(specifications.filter((each) => new RegExp(`^\\*${name}=?\\[`).test(each))).toHaveLength(1)
    }
    expect(specifications).toContain('*--pull[Use NN_PULL socket type]')
    expect(specifications).toContain('*-F+[Same as --data but get data from file PATH]:PATH:_files')
    expect(specifications.some((each) => each.endsWith(':FORMAT:(no raw ascii quoted msgpack hex json)'))).toBe(true)
  })

  test('commands are proposed first, and have words of their own', async () => {
    expect(await calls('nanocat', '')).toEqual([...commandNames])
    expect(await calls('nanocat', 'completion', '')).toEqual(['bash', 'zsh', 'fish'])
    expect(await calls('nanocat', 'device', '')).toContain('--pubsub')
    expect(await calls('nn_pull', '')).toContain('*--pull[Use NN_PULL socket type]')
  })
})

describe.skipIf(!isInstalled('fish'))('in fish', () => {
  /** What is proposed for the last word, without descriptions. */
  async function proposals(line: string) {
    const lines = runIn('fish', `${await script('fish')}\ncomplete -C ${JSON.stringify(line)}`)
    return lines.map((each) => each.split('\t')[0])
  }

  test('all options are proposed', async () => {
    expect(await proposals('nanocat --')).toEqual(expect.arrayContaining(everyName))
    expect(await proposals('nn_pull --as')).toEqual(['--ascii'])
  })

  test('files are proposed where a path stands', async () => {
    expect(await proposals('nanocat --key /etc/hostn')).toEqual(['/etc/hostname'])
  })

  test('commands and formats are proposed', async () => {
    expect(await proposals('nanocat c')).toEqual(['completion'])
    expect(await proposals('nanocat bench l')).toEqual(['lat'])
    expect(await proposals('nanocat --pull --format j')).toEqual(['json'])
  })
})

test.each([[[]], [['tcsh']], [['bash', 'zsh']]])('%j is refused with status 1', async (args) => {
  const { exitCode, stdout, stderr } = await nanocat('completion', ...args)
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
  expect(stderr).toMatch(/^nanocat completion: one of bash, zsh, fish is needed\nUsage:\n/)
})
