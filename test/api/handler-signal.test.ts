/** The signal of a handler of serve(): no peer waits for its answer any more. */
import { join } from 'node:path'
import { Rep, Req, Respondent } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll, transports, turn, until } from './support.js'
import { startWorker } from './worker-program.js'

/** A promise, and what settles it. */
function promised<Value>() {
  let resolve!: (value: Value) => void
  const promise = new Promise<Value>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

/** Settles with the signal's reason when it aborts. */
const abortOf = (signal: AbortSignal) =>
  new Promise<unknown>((resolve) => {
    if (signal.aborted) resolve(signal.reason)
    else signal.addEventListener('abort', () => resolve(signal.reason), { once: true })
  })

const kinds = [
  { kind: 'Rep', open: () => new Rep(), ask: `new Req(); s.connect(process.argv[1]); s.request('work')` },
  {
    kind: 'Respondent',
    open: () => new Respondent(),
    ask: `new Surveyor(); s.connect(process.argv[1]); s.ready().then(() => s.survey('work', { deadline: 1e6 }))`,
  },
] as const

describe.each(transports.filter(({ scheme }) => scheme === 'tcp' || scheme === 'ipc'))(
  'over $scheme',
  ({ address }) => {
    test.each(kinds)('the signal of a $kind aborts when its asker is killed', async ({ open, ask }) => {
      await using socket = open()
      const { address: bound } = socket.bind(address())
      await using asker = startWorker(`const s = ${ask}`, bound)
      const started = promised<AbortSignal>()
      void socket.serve(async (_body, _peer, { signal }) => {
        started.resolve(signal)
        await abortOf(signal)
        return 'too late'
      })
      const signal = await started.promise
      expect(signal.aborted).toBe(false)
      await asker.kill()
      expect(await abortOf(signal)).toMatchObject({ code: 'ECONNRESET', syscall: 'serve' })
    })
  },
)

describe.each(transports)('over $scheme', ({ address }) => {
  test('it aborts when the asker closes, for each of its requests and for no others', async () => {
    await using rep = new Rep()
    await using staying = new Req()
    const going = new Req()
    connectAll(address(), rep, staying, going)
    const signals = new Map<string, AbortSignal>()
    const release = promised<void>()
    void rep.serve(async (body, _peer, { signal }) => {
      signals.set(String(body), signal)
      await release.promise
      return body
    })
    const requests = [going.request('a'), going.request('b')].map((request) => request.catch(() => 'given up'))
    const other = staying.request('c')
    await until(() => signals.size === 3)
    await going.close()
    await Promise.all(['a', 'b'].map((name) => abortOf(signals.get(name)!)))
    release.resolve()
    expect(String(await other)).toBe('c')
    expect(signals.get('c')!.aborted).toBe(false)
    expect(await Promise.all(requests)).toEqual(['given up', 'given up'])
  })
})

test('it aborts when the socket of its handler closes', async () => {
  const rep = new Rep()
  await using req = new Req()
  connectAll('tcp://127.0.0.1:0', rep, req)
  const started = promised<AbortSignal>()
  const serving = rep.serve(async (_body, _peer, { signal }) => {
    started.resolve(signal)
    await abortOf(signal)
    return undefined
  })
  const request = req.request('work').catch(() => 'given up')
  const signal = await started.promise
  await rep.close()
  expect(await abortOf(signal)).toMatchObject({ code: 'EBADF', syscall: 'serve' })
  await serving
  await req.close()
  expect(await request).toBe('given up')
})

test('it is aborted already when a handler first looks at it after its asker has gone', async () => {
  await using rep = new Rep()
  const req = new Req()
  connectAll('tcp://127.0.0.1:0', rep, req)
  const started = promised<void>()
  const gone = promised<void>()
  const seen = promised<boolean>()
  void rep.serve(async (_body, _peer, context) => {
    started.resolve()
    await gone.promise
    seen.resolve(context.signal.aborted)
    return undefined
  })
  const request = req.request('work').catch(() => 'given up')
  await started.promise
  await req.close()
  await until(() => rep.stats().currentConnections === 0)
  gone.resolve()
  expect(await seen.promise).toBe(true)
  await request
})

test('it stays as it is once the request is answered', async () => {
  await using rep = new Rep()
  const req = new Req()
  connectAll('tcp://127.0.0.1:0', rep, req)
  let signal: AbortSignal | undefined
  void rep.serve((body, _peer, context) => {
    signal = context.signal
    return body
  })
  await req.request('x')
  await req.close()
  await until(() => rep.stats().currentConnections === 0)
  await turn()
  expect(signal?.aborted).toBe(false)
})

test('serving ends by its signal after nn_term has closed the socket', async () => {
  await using program = startWorker(`
    const nn = require('${join(__dirname, '../../dist/nn/index.js')}')
    const [rep, req, ending] = [new Rep(), new Req(), new AbortController()]
    req.connect(rep.bind('inproc://ended').address)
    req.request('work').catch(() => {})
    const handler = (body, peer, { signal }) => {
      console.log('aborted', signal.aborted)
      nn.nn_term()
      ending.abort()
    }
    rep.serve(handler, { signal: ending.signal }).then(() => console.log('ended'))`)
  await program.printed('aborted false')
  await program.printed('ended')
})
