/** Servers that end while others go on: `close({ drain })` and `serve(…, { signal, drain })`. */
import { Rep, Req, Respondent, Surveyor } from 'nanomsg-native'
import { expect, test } from 'vitest'
import { transports, until } from './support.js'

const quick = { reconnectInterval: 10 } as const

/** A server whose answers to 'long' wait. */
function worker(name: string, options = {}) {
  const rep = new Rep(options)
  let finish = () => {}
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  let isWorking = false
  const stop = new AbortController()
  const serve = (drain?: number) =>
    rep.serve(
      async (body) => {
        if (String(body) === 'long') {
          isWorking = true
          await finished
        }
        return `${name}: ${body}`
      },
      { signal: stop.signal, drain },
    )
  return { rep, serve, stop: () => stop.abort(), finish: () => finish(), isWorking: () => isWorking }
}

test.each(transports.map(({ scheme, address }) => [scheme, address] as const))(
  'six requests over %s do not wait for the job of a server that ends',
  async (_, address) => {
    const [one, two] = [worker('one'), worker('two')]
    await using _one = one.rep
    await using _two = two.rep
    await using req = new Req(quick)
    await using other = new Req(quick)
    const serving = one.serve(10_000)
    void two.serve()
    const addresses = [one, two].map(({ rep }) => rep.bind(address()).address)
    req.connect(addresses[0]!)
    await req.ready()
    const long = req.request('long')
    await until(one.isWorking)
    req.connect(addresses[1]!)
    for (const each of addresses) other.connect(each)
    await req.ready({ peers: 2 })
    await other.ready({ peers: 2 })
    one.stop()
    const replies = await Promise.all(Array.from({ length: 6 }, (_, i) => req.request(`${i}`)))
    expect(replies.map((reply) => String(reply).split(': ')[1])).toEqual(['0', '1', '2', '3', '4', '5'])
    // Nothing was owed to this one: it has one server left.
    const others = await Promise.all(Array.from({ length: 6 }, (_, i) => other.request(`${i}`)))
    expect(others.map(String)).toEqual(Array.from({ length: 6 }, (_, i) => `two: ${i}`))
    one.finish()
    expect(String(await long)).toBe('one: long')
    await serving
    await until(() => one.rep.stats().currentConnections === 0)
    expect(String(await req.request('last'))).toBe('two: last')
  },
)

test('close() ends the same way, and then closes the socket', async () => {
  const { rep, serve, finish, isWorking } = worker('one')
  await using req = new Req(quick)
  const serving = serve()
  req.connect(rep.bind('tcp://127.0.0.1:0').address)
  const long = req.request('long')
  await until(isWorking)
  const closed = rep.close({ drain: 10_000 })
  expect(rep.closed).toBe(false)
  expect(String(await req.request('short'))).toBe('one: short')
  finish()
  expect(String(await long)).toBe('one: long')
  await Promise.all([closed, serving])
  expect(rep.closed).toBe(true)
})

test('a handler that closes its server answers the request that it has, and what came with it', async () => {
  await using req = new Req(quick)
  await using rep = new Rep()
  let closed: Promise<void> | undefined
  const serving = rep.serve((body) => {
    closed ??= rep.close({ drain: 10_000 })
    return String(body) === 'later' ? Promise.resolve('later') : body
  })
  req.connect(rep.bind('tcp://127.0.0.1:0').address)
  await req.ready()
  const replies = await Promise.all(['first', 'later', 'last'].map((body) => req.request(body, { timeout: 10_000 })))
  expect(replies.map(String)).toEqual(['first', 'later', 'last'])
  await Promise.all([closed, serving])
})

test('a handler that closes its server cuts off no client whose request came with the first one', async () => {
  await using rep = new Rep()
  const { address } = rep.bind('tcp://127.0.0.1:0')
  const clients = Array.from({ length: 4 }, () => new Req(quick))
  for (const client of clients) client.connect(address)
  await Promise.all(clients.map((client) => client.ready()))
  const asked = clients.map((client, i) => client.request(`${i}`, { timeout: 10_000, attempts: 1 }))
  await until(() => clients.every((client) => client.stats().messagesSent === 1))
  let closed: Promise<void> | undefined
  const serving = rep.serve((body) => {
    closed ??= rep.close({ drain: 10_000 })
    return body
  })
  expect((await Promise.all(asked)).map(String)).toEqual(['0', '1', '2', '3'])
  await Promise.all([closed, serving])
  for (const client of clients) await client.close()
})

test('what is not done in time is for others', async () => {
  const [one, two] = [worker('one'), worker('two')]
  await using _ = two.rep
  await using req = new Req(quick)
  void one.serve()
  req.connect(one.rep.bind('tcp://127.0.0.1:0').address)
  const long = req.request('long')
  await until(one.isWorking)
  two.finish()
  void two.serve()
  req.connect(two.rep.bind('tcp://127.0.0.1:0').address)
  await one.rep.close({ drain: 20 })
  expect(String(await long)).toBe('two: long')
})

test('peers come again when serve() is called again', async () => {
  const rep = new Rep({ maxConnections: 5 })
  await using _ = rep
  await using req = new Req(quick)
  const stop = new AbortController()
  const serving = rep.serve((body) => body, { signal: stop.signal, drain: 1000 })
  req.connect(rep.bind('tcp://127.0.0.1:0').address)
  expect(String(await req.request('one'))).toBe('one')
  stop.abort()
  await serving
  await until(() => rep.stats().rejectedConnections > 0)
  expect(rep.stats().currentConnections).toBe(0)
  void rep.serve((body) => `${body} again`)
  expect(rep.maxConnections).toBe(5)
  expect(String(await req.request('one'))).toBe('one again')
})

test('a server that has connected does not come back, and its endpoint can be closed', async () => {
  await using rep = new Rep(quick)
  await using req = new Req()
  const stop = new AbortController()
  const serving = rep.serve((body) => body, { signal: stop.signal, drain: 1000 })
  const endpoint = rep.connect(req.bind('tcp://127.0.0.1:0').address)
  expect(String(await req.request('one'))).toBe('one')
  stop.abort()
  await serving
  await until(() => req.stats().currentConnections === 0)
  endpoint.close()
})

test('respondents have it, too', async () => {
  const respondent = new Respondent()
  await using surveyor = new Surveyor({ ...quick, deadline: 10_000 })
  let finish = () => {}
  let isAsked = false
  void respondent.serve(async (body) => {
    isAsked = true
    await new Promise<void>((resolve) => {
      finish = resolve
    })
    return body
  })
  surveyor.connect(respondent.bind('tcp://127.0.0.1:0').address)
  await surveyor.ready()
  const answers = surveyor.survey('who')[Symbol.asyncIterator]()
  const first = answers.next()
  await until(() => isAsked)
  const closed = respondent.close({ drain: 10_000 })
  finish()
  expect(String((await first).value)).toBe('who')
  await closed
})

test.each([-1, 1.5, '1', Number.NaN])('a drain of %s is EINVAL, and nothing ends', async (wrong) => {
  await using rep = new Rep()
  await expect(rep.serve((body) => body, { drain: wrong as number })).rejects.toThrow(/^EINVAL: .*drain/)
  await expect(rep.close({ drain: wrong as number })).rejects.toThrow(/^EINVAL: .*drain/)
  expect(rep.closed).toBe(false)
})
