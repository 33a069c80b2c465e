import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NanomsgError, type Push, type Socket } from 'nanomsg-native'
import { expect } from 'vitest'

/** A folder for ipc sockets, away with its scope. */
export function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), 'nn-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

let counter = 0

/** Addresses to bind that are not in use, one for each transport. */
export const transports = [
  { scheme: 'tcp', address: () => 'tcp://127.0.0.1:0' },
  { scheme: 'ipc', address: () => `ipc://${join(tmpdir(), `nn-${process.pid}-${counter++}`)}` },
  { scheme: 'ws', address: () => 'ws://127.0.0.1:0/path' },
  { scheme: 'inproc', address: () => `inproc://test-${counter++}` },
] as const

/** Binds one socket and connects the others to it. */
export function connectAll(address: string, bound: Socket, ...connecting: Socket[]): void {
  const endpoint = bound.bind(address)
  for (const socket of connecting) socket.connect(endpoint.address)
}

/** The error that a call fails with, at once or later. */
export async function failureOf(call: () => unknown): Promise<NanomsgError> {
  try {
    await call()
  } catch (error) {
    expect(error).toBeInstanceOf(NanomsgError)
    return error as NanomsgError
  }
  throw new Error('the call has not failed')
}

/** Lets the event loop turn once: from one setImmediate() to the next, it sees what is ready. */
export const turn = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))

/** Lets the event loop turn until the condition holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn()
}

/** Sends until nothing more is accepted, in many turns of the event loop. Returns how many were. */
export async function fill(push: Push, body: Uint8Array): Promise<number> {
  let accepted = 0
  for (let quiet = 0; quiet < 50; quiet++) {
    while (push.trySend(body)) {
      accepted++
      quiet = 0
    }
    await turn()
  }
  return accepted
}

const dist = join(__dirname, '..', '..', 'dist')

/**
 * Runs a program in a process of its own. In its text `require('nanomsg-native')` is the built package, or a face of
 * it.
 *
 * @param options.node the Node.js that runs it
 * @param options.env its environment, if it is not ours
 */
export function runProgram(
  text: string,
  {
    args = [],
    timeout = 30_000,
    node = process.execPath,
    env = process.env,
  }: { args?: string[]; timeout?: number; node?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<{ exitCode: number | null; signal: string | null; stdout: string; stderr: string }> {
  const program = text.replaceAll(
    /require\('nanomsg-native(\/\w+)?'\)/g,
    (_, face = '') => `require('${dist}${face}/index.js')`,
  )
  return new Promise((resolve) => {
    execFile(node, [...args, '-e', program], { timeout, env }, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : null
      resolve({ exitCode, signal: error?.signal ?? null, stdout, stderr })
    })
  })
}
