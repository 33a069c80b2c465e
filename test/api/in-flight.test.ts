/** maxInFlight: how many requests each Rep has at a time. */
import { Rep, Req } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { failureOf, transports, until } from './support.js'
import { startWorker } from './worker-program.js'

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

describe.each(transports)('over $scheme', ({ address }) => {
  test('a slow worker gets one job, and a fast one all others', async () => {
    await using req = new Req({ maxInFlight: 1 })
    await using slow = new Rep()
    await using fast = new Rep()
    const done = { slow: 0, fast: 0 }
    req.connect(slow.bind(address()).address)
    req.connect(fast.bind(address()).address)
    void slow.serve(async () => {
      await pause(300)
      done.slow++
      return 'slow'
    })
    void fast.serve(() => {
      done.fast++
      return 'fast'
    })
    await req.ready({ peers: 2 })
    await Promise.all(Array.from({ length: 20 }, () => req.request('job')))
    expect(done).toEqual({ slow: 1, fast: 19 })
  })
})

describe('a limit', () => {
  test('holds jobs back until a worker has room, and is an option like others', async () => {
    await using req = new Req({ maxInFlight: 2 })
    await using rep = new Rep()
    req.connect(rep.bind('tcp://127.0.0.1:0').address)
    await req.ready()
    const working: ((reply: string) => void)[] = []
    let most = 0
    void rep.serve(() => {
      const reply = new Promise<string>((resolve) => working.push(resolve))
      most = Math.max(most, working.length)
      return reply
    })
    const all = Promise.all(Array.from({ length: 10 }, (_, i) => req.request(`${i}`)))
    for (let i = 0; i < 10; i++) {
      await until(() => working.length > 0)
      working.shift()!('done')
    }
    await all
    expect(most).toBe(2)
    req.maxInFlight = 0
    expect(req.maxInFlight).toBe(0)
    expect((await failureOf(() => new Req({ maxInFlight: -1 }))).message).toContain('0 for no limit')
  })

  test('counts no request that was given up', async () => {
    await using req = new Req({ maxInFlight: 1 })
    await using rep = new Rep()
    req.connect(rep.bind('tcp://127.0.0.1:0').address)
    await req.ready()
    const abort = new AbortController()
    const first = req.request('first', { signal: abort.signal })
    expect(String(await rep.receive())).toBe('first')
    const second = req.request('second')
    abort.abort()
    await expect(first).rejects.toBe(abort.signal.reason)
    expect(String(await rep.receive())).toBe('second')
    await rep.send('done')
    expect(String(await second)).toBe('done')
  })

  test.each(transports.filter(({ scheme }) => scheme === 'tcp' || scheme === 'ipc'))(
    'gives the job of a worker that is killed over $scheme to another one',
    async ({ address }) => {
      await using req = new Req({ maxInFlight: 1 })
      const { address: bound } = req.bind(address())
      await using worker = startWorker(
        `const rep = new Rep()
        rep.connect(process.argv[1])
        rep.serve(() => {
          console.log('has it')
          return new Promise(() => {})
        })`,
        bound,
      )
      const jobs = [req.request('one'), req.request('two'), req.request('three')]
      await worker.printed('has it')
      await worker.kill()
      await using rep = new Rep()
      rep.connect(bound)
      void rep.serve((body) => `${body} done`)
      expect((await Promise.all(jobs)).map(String)).toEqual(['one done', 'two done', 'three done'])
    },
  )
})
