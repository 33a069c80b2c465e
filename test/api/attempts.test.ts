/** attempts: how many workers may go away while they have a request. */
import { Rep, Req } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { failureOf, transports } from './support.js'
import { startWorker, type WorkerProgram } from './worker-program.js'

/** Kills itself when it gets the request 'poison', and answers others. */
const worker = `const rep = new Rep()
rep.connect(process.argv[1])
rep.serve((body) => {
  if (String(body) === 'poison') process.kill(process.pid, 'SIGKILL')
  return body + ' done'
})`

const overStreams = transports.filter(({ scheme }) => scheme === 'tcp' || scheme === 'ipc')

/** A Rep that goes away when it has received a request. */
async function receiveAndGo(address: string): Promise<void> {
  const rep = new Rep()
  rep.connect(address)
  await rep.receive()
  await rep.close()
}

describe.each(overStreams)('over $scheme', ({ address }) => {
  test('a request that kills its workers kills three of five, and the others go on', async () => {
    await using req = new Req()
    const { address: bound } = req.bind(address())
    const workers: WorkerProgram[] = Array.from({ length: 5 }, () => startWorker(worker, bound))
    try {
      await req.ready({ peers: 5 })
      const error = await failureOf(() => req.request('poison'))
      expect(error).toMatchObject({ code: 'ECONNRESET', syscall: 'request', lost: 3, peers: 2 })
      expect(error.message).toContain('3 peers went away while they worked on it')
      expect(error.message).toContain('The request may be what ends them')
      const replies = await Promise.all(Array.from({ length: 4 }, (_, i) => req.request(`${i}`)))
      expect(replies.map(String)).toEqual(['0 done', '1 done', '2 done', '3 done'])
    } finally {
      for (const each of workers) await each.kill()
    }
  })
})

describe('attempts', () => {
  test('are as many as the call says, whatever its other options are', async () => {
    await using req = new Req()
    const { address } = req.bind('tcp://127.0.0.1:0')
    const one = failureOf(() => req.request('x', { attempts: 1, retryAfter: 1000, timeout: 60_000 }))
    await receiveAndGo(address)
    expect(await one).toMatchObject({ code: 'ECONNRESET', lost: 1 })
    expect((await one).message).toContain('1 peer went away')
    expect((await one).stack).toContain('attempts.test.ts')
  })

  test('may be any number', async () => {
    await using req = new Req()
    const { address } = req.bind('tcp://127.0.0.1:0')
    const request = req.request('x', { attempts: Number.POSITIVE_INFINITY })
    for (let i = 0; i < 5; i++) await receiveAndGo(address)
    await using rep = new Rep()
    rep.connect(address)
    void rep.serve((body) => body)
    expect(String(await request)).toBe('x')
  })

  test('of one call are not those of others that were made in the same tick', async () => {
    await using req = new Req()
    const { address } = req.bind('tcp://127.0.0.1:0')
    const before = req.request('before')
    const one = failureOf(() => req.request('one', { attempts: 1 }))
    const after = req.request('after')
    await using rep = new Rep()
    const going = new Rep()
    going.connect(address)
    for (let i = 0; i < 3; i++) await going.receive()
    await going.close()
    rep.connect(address)
    void rep.serve((body) => body)
    expect((await one).code).toBe('ECONNRESET')
    expect([String(await before), String(await after)]).toEqual(['before', 'after'])
  })

  test('are no limit while a worker that is connected has the request', async () => {
    await using req = new Req()
    await using slow = new Rep()
    const going = new Rep()
    req.connect(slow.bind('tcp://127.0.0.1:0').address)
    const request = req.request('x', { attempts: 1, retryAfter: 20 })
    await slow.receive()
    req.connect(going.bind('tcp://127.0.0.1:0').address)
    await going.receive() // it is sent again to the next in turn
    await going.close()
    await slow.send('late')
    expect(String(await request)).toBe('late')
  })

  test('of send() are without limit, until the option is set', async () => {
    await using req = new Req()
    const { address } = req.bind('tcp://127.0.0.1:0')
    await req.send('x')
    for (let i = 0; i < 4; i++) await receiveAndGo(address)
    req.attempts = 2
    await req.send('y')
    const receiving = failureOf(() => req.receive())
    await receiveAndGo(address)
    await receiveAndGo(address)
    const error = await receiving
    expect([error.code, error.syscall]).toEqual(['ECONNRESET', 'receive'])
    expect(error.message).toContain('went away while they worked on it')
  })

  test.each([0, -1, 1.5, Number.NaN, '3'])('must be a whole number from 1 on, not %s', async (attempts) => {
    await using req = new Req()
    const error = await failureOf(() => Reflect.apply(req.request, req, ['x', { attempts }]))
    expect(error).toMatchObject({ code: 'EINVAL', syscall: 'request' })
    expect(error.message).toContain('attempts must be')
  })
})

test('retry is the former name of retryAfter', async () => {
  await using req = new Req()
  await using rep = new Rep()
  req.connect(rep.bind('tcp://127.0.0.1:0').address)
  for (const options of [{ retryAfter: 10 }, { retry: 10 }]) {
    const request = req.request('again', options)
    await rep.receive()
    expect(String(await rep.receive())).toBe('again')
    await rep.send('heard')
    expect(String(await request)).toBe('heard')
  }
})
