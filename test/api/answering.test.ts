/** A reply counts when it comes from the peer that was asked: raw REPs that say what they like, and an honest one. */
import { Req } from 'nanomsg-native'
import {
  AF_SP_RAW,
  NN_CMSG_DATA,
  NN_CMSG_FIRSTHDR,
  NN_MSG,
  NN_REP,
  nn_bind,
  nn_endpoint_address,
  type nn_msghdr,
  nn_recvmsg,
  nn_sendmsg,
} from 'nanomsg-native/nn'
import { describe, expect, test } from 'vitest'
import { Sockets } from '../nn/support.js'
import { transports } from './support.js'

const REQUESTS = 20

interface Question {
  header: nn_msghdr
  /** The request's id, as it stands in the header. */
  id: Buffer
}

async function question(rep: number): Promise<Question> {
  const header: nn_msghdr = { msg_iov: [{ iov_base: null, iov_len: NN_MSG }], msg_control: Buffer.alloc(200) }
  await nn_recvmsg(rep, header)
  return { header, id: NN_CMSG_DATA(NN_CMSG_FIRSTHDR(header)!).subarray(12, 16) }
}

const answer = (rep: number, { header }: Question, text: string) =>
  nn_sendmsg(rep, { ...header, msg_iov: [{ iov_base: Buffer.from(text) }] })

describe.each(transports)('over $scheme', ({ address }) => {
  test('a peer that was not asked cannot answer, whichever ids it knows', async () => {
    using sockets = new Sockets()
    await using req = new Req()
    const reps = [0, 1].map(() => sockets.open(NN_REP, AF_SP_RAW)) as [number, number]
    for (const rep of reps) {
      req.connect(nn_endpoint_address(rep, nn_bind(rep, address())))
    }
    await req.ready({ peers: 2 })

    const seen = new Set<number>()
    for (let i = 0; i < REQUESTS; i++) {
      const replies = [req.request('a'), req.request('b')]
      const questions = await Promise.all(reps.map(question))
      const ids = questions.map(({ id }) => Buffer.from(id))
      for (const id of ids) seen.add(id.readUInt32BE())

      // Each answers what the other was asked, and guesses some more; then, behind it, what it was asked itself.
      for (const [own, other] of [
        [0, 1],
        [1, 0],
      ] as const) {
        for (const guess of [0, 1, -1, 2]) {
          questions[own]!.id.writeUInt32BE((ids[other]!.readUInt32BE() + guess) >>> 0)
          await answer(reps[own], questions[own]!, 'made up')
        }
        ids[own]!.copy(questions[own]!.id)
        await answer(reps[own], questions[own]!, 'honest')
      }
      expect((await Promise.all(replies)).map(String)).toEqual(['honest', 'honest'])
    }
    expect(seen.size).toBe(2 * REQUESTS)
  })
})
