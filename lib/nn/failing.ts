/** Failing as the C API does: by an errno, which nn_errno() returns afterwards, and by an Error that carries it. */
import { argumentError, errnoError, NanomsgError } from '../engine/errors.js'
import { EFAULT, NN_DONTWAIT } from './constants.js'

let lastErrno = 0

/** The error of the last call that failed, whether it was thrown or its promise was rejected. 0 when there was none. */
export function nn_errno(): number {
  return lastErrno
}

/** Notes an error for nn_errno(). */
export function noted<Failure extends { readonly errno: number }>(error: Failure): Failure {
  lastErrno = error.errno
  return error
}

/** What a caller catches. Errors of the caller's own, such as those of getters, stay as they are. */
export function notedUnknown(error: unknown): unknown {
  return error instanceof NanomsgError ? noted(error) : error
}

export const failure = (errno: number, syscall: string, subject?: string): NanomsgError =>
  noted(errnoError(errno, syscall, subject))

/** The result of a function of the binding; a negative one is thrown. */
export function checked(result: number, syscall: string, subject?: string): number {
  if (result < 0) throw failure(-result, syscall, subject)
  return result
}

/** Memory that is not what the call needs. */
export const memoryFailure = (syscall: string, explanation: string): NanomsgError =>
  failure(EFAULT, syscall, `(${explanation})`)

export const invalid = (syscall: string, name: string, expectation: string, value: unknown): NanomsgError =>
  noted(argumentError(syscall, name, expectation, value))

const LOWEST = -0x80000000
const HIGHEST = 0x7fffffff

export function checkInt(value: unknown, name: string, syscall: string): asserts value is number {
  if (!Number.isInteger(value) || (value as number) < LOWEST || (value as number) > HIGHEST) {
    throw invalid(syscall, name, 'a whole number of 32 bits', value)
  }
}

/** Whether to answer at once. Bits that have no meaning are ignored, as in C. */
export function dontWait(flags: unknown, syscall: string): boolean {
  if (flags === undefined) return false
  checkInt(flags, 'flags', syscall)
  return (flags & NN_DONTWAIT) !== 0
}
