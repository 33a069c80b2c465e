/** Why an ipc path cannot be used, where the errno says too little. */
import { lstatSync } from 'node:fs'
import { constants } from 'node:os'
import type { ErrorDetails } from '../engine/errors.js'

const { EADDRINUSE, ENAMETOOLONG } = constants.errno

function kindAt(path: string): string | undefined {
  try {
    const found = lstatSync(path)
    if (found.isSocket()) return undefined
    if (found.isSymbolicLink()) return 'A symbolic link'
    return found.isDirectory() ? 'A folder' : 'A file that is no socket'
  } catch {
    return undefined
  }
}

/** @param errno that `bind()` or `connect()` has failed with */
export function pathProblem(errno: number, address: string): ErrorDetails {
  const [, path] = /^ipc:\/\/(.+)$/s.exec(address) ?? []
  if (errno === ENAMETOOLONG) {
    const bytes = Buffer.byteLength(address)
    return { text: `The address has ${bytes} bytes, which is too long` }
  }
  const kind = errno === EADDRINUSE && path !== undefined ? kindAt(path) : undefined
  return kind === undefined ? {} : { text: `${kind} is at the path`, hint: 'Remove it, or choose another path' }
}
