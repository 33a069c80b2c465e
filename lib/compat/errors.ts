import { constants } from 'node:os'
import { codeOf } from '../engine/errors.js'
import { native } from '../engine/native.js'
import { noted } from '../nn/failing.js'

/** What went wrong, in the words of the npm package: the text of the errno is all of the message,
 * and Errno() returns it afterwards. */
export class SocketError extends Error {
  readonly code: string
  readonly errno: number
  readonly syscall: string

  constructor(errno: number, syscall: string, describe: (text: string) => string = (text) => text) {
    super(describe(native.strerror(errno)))
    this.code = codeOf(errno)
    this.errno = errno
    this.syscall = syscall
    noted(this)
  }
}
Object.defineProperty(SocketError.prototype, 'name', { value: 'Error', configurable: true, writable: true })

const { EINVAL } = constants.errno

/** Something else in its words, about what a caller has passed. */
export const invalid = <Failure extends Error>(error: Failure, syscall: string): Failure =>
  Object.assign(error, { code: 'EINVAL', errno: EINVAL, syscall })
