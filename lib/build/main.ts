#!/usr/bin/env node
// nanomsg-native-build: compiles the addon from the sources in the package, where no prebuilt one fits. An explicit
// command, because package managers do not run install scripts any more, or ask first.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { join } from 'node:path'
import { findNodeGyp } from './node-gyp.js'

const home = join(__dirname, '../..')
const sources = join(home, 'native')

const HELP = `nanomsg-native-build compiles the addon of nanomsg-native for this Node.js and this machine.
It needs gcc or clang, make and Python 3.
`

function fail(message: string): never {
  process.stderr.write(`nanomsg-native-build: ${message}\n`)
  process.exit(1)
}

function checkMachine(): void {
  if (!existsSync(join(sources, `sources.${process.platform}.txt`)))
    fail(`the sources do not compile on ${process.platform} yet`)
  try {
    accessSync(sources, constants.W_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    fail(
      `${sources} cannot be written to (${code}). With Yarn Plug'n'Play, unplug the package first: yarn unplug nanomsg-native`,
    )
  }
}

function build(): void {
  const [command, ...args] = findNodeGyp()
  const { status, error } = spawnSync(command, [...args, 'rebuild', '--directory', sources], { stdio: 'inherit' })
  if (error !== undefined) fail(`${command} cannot be started: ${error.message}`)
  if (status !== 0)
    fail(`node-gyp failed, see above. It needs gcc or clang, make and Python 3 (Alpine: also linux-headers)`)
  process.stdout.write(`compiled: ${join(sources, 'build/Release/nanomsg_native.node')}\n`)
}

const [argument] = process.argv.slice(2)
if (argument === '--help' || argument === '-h') {
  process.stdout.write(HELP)
} else if (argument !== undefined) {
  fail(`unknown argument: ${argument}. ${HELP.trimEnd()}`)
} else {
  checkMachine()
  build()
}
