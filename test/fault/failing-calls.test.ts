/** Each call of the addon to malloc and to the system fails once, in conversations from JavaScript. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'

const program = join(__dirname, 'failing-calls.cjs')
/** What the engine's tests have built; NN_FAILING_CALLS_LIMIT says how many calls of a kind fail in turn. */
const library = join(__dirname, '..', '..', 'build-test', 'libfailing_calls.so')
/** Of a conversation: less than a connection that can send nothing is given (3 s) until it is ended. */
const limitMs = 2500
const limit = process.env.NN_FAILING_CALLS_LIMIT ?? '12'

const { EAGAIN, ECONNRESET, EINTR, EINVAL, EMFILE, ENOMEM, EPIPE } = constants.errno
const rows: [call: string, error: number][] = [
  ['malloc', ENOMEM],
  ['calloc', ENOMEM],
  ['realloc', ENOMEM],
  ['socket', EMFILE],
  ['accept4', EMFILE],
  ['epoll_ctl', ENOMEM],
  ['epoll_wait', EINTR],
  ['timerfd_settime', EINVAL],
  ['sendmsg', EPIPE],
  ['sendmsg', EAGAIN],
  ['read', ECONNRESET],
  ['recv', ECONNRESET],
]

describe.skipIf(!existsSync(library)).each(['tcp://127.0.0.1:0', 'ws://127.0.0.1:0', 'inproc://failing-calls'])(
  'a conversation over %s',
  (address) => {
    test.each(rows)(
      'comes through though %s fails once with errno %i',
      async (call, error) => {
        const env = { ...process.env, LD_PRELOAD: library }
        const { stdout } = await promisify(execFile)(process.execPath, [program, call, String(error), address, limit], {
          env,
        })
        const { descriptors, slowestMs } = JSON.parse(stdout)
        expect(descriptors).toBe(0)
        expect(slowestMs).toBeLessThan(limitMs)
      },
      120_000,
    )
  },
)
