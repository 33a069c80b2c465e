// In a file of its own: nn_term() is for the whole process.
import fc from 'fast-check'
import { AF_SP, ETERM, NN_MSG, NN_PAIR, nn_errno, nn_poll, nn_recv, nn_socket, nn_term } from 'nanomsg-native/nn'
import { expect, test } from 'vitest'
import { failureOf } from '../api/support.js'
import { emptyWorld, makeWorld, parameters, runAll, step } from './fuzzing.js'

test('after nn_term, whatever is passed in, calls return or fail with a code', async () => {
  const { sockets } = makeWorld()
  const waiting = [nn_recv(sockets[0]!, NN_MSG), nn_poll([{ fd: sockets[0]!, events: 1 }])].map((call) =>
    failureOf(() => call),
  )
  nn_term()
  expect((await Promise.all(waiting)).map(({ code }) => code)).toEqual(['EBADF', 'EBADF'])
  expect((await failureOf(() => nn_socket(AF_SP, NN_PAIR))).code).toBe('ETERM')
  expect(nn_errno()).toBe(ETERM)
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), (steps) =>
      runAll(emptyWorld([...sockets]), steps),
    ),
    parameters(300),
  )
}, 600_000)
