import { argumentError } from './errors.js'
import { ownOptions } from './own-options.js'

/** The owner of a file; what is left out stays as the process has it. */
export interface IpcOwner {
  readonly uid?: number | undefined
  readonly gid?: number | undefined
}

const MAX_INT = 0x7fffffff

function idOf(owner: object, name: 'uid' | 'gid'): number {
  const id: unknown = Reflect.get(owner, name)
  if (id === undefined) return -1
  if (Number.isInteger(id) && (id as number) >= 0 && (id as number) <= MAX_INT) return id as number
  throw argumentError('setsockopt', `ipcOwner.${name}`, `a whole number from 0 to ${MAX_INT}`, id)
}

/** The numbers that the engine gets; -1: the process's. */
export function ownerIds(given: unknown): { uid: number; gid: number } {
  if (typeof given !== 'object' || given === null) {
    throw argumentError('setsockopt', 'ipcOwner', 'an object { uid, gid }', given)
  }
  const owner = ownOptions(given, 'setsockopt', 'ipcOwner')
  return { uid: idOf(owner, 'uid'), gid: idOf(owner, 'gid') }
}
