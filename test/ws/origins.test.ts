/** Which web pages may connect: npm's `ws` says in Origin what a browser would. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { Device, Pull, type RejectEvent, type SocketOptions } from 'nanomsg-native'
import * as nn from 'nanomsg-native/nn'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'

/** What a page of this origin is told: 101, or the status of a refusal. */
async function statusOf(address: string, origin: string | undefined, host?: string): Promise<number> {
  const headers = host === undefined ? {} : { Host: host }
  const ws = new WebSocket(address, ['pull.sp.nanomsg.org'], { headers, ...(origin !== undefined && { origin }) })
  ws.on('error', () => {})
  const refused = once(ws, 'unexpected-response').then(([, response]) => (response as IncomingMessage).statusCode!)
  const status = await Promise.race([once(ws, 'open').then(() => 101), refused])
  ws.terminate()
  return status
}

async function statusesOf(options: SocketOptions, origins: readonly (string | undefined)[], host?: string) {
  await using pull = new Pull(options)
  const { address } = pull.bind('ws://127.0.0.1:0/')
  const own = address.replace('ws:', 'http:').replace(/\/$/, '')
  return await Promise.all(origins.map((origin) => statusOf(address, origin === 'own' ? own : origin, host)))
}

test('pages of other servers are refused, unless the option says otherwise', async () => {
  const origins = [undefined, 'own', 'http://127.0.0.1', 'http://127.0.0.1:1', 'https://evil.example', 'null']
  expect(await statusesOf({}, origins)).toEqual([101, 101, 403, 403, 403, 403])
})

test('pages of the host that the request is for are accepted, behind a proxy that ends TLS as well', async () => {
  const origins = ['https://Example.org', 'https://example.org:443', 'http://example.org', 'http://example.org:80']
  expect(await statusesOf({}, origins, 'example.org')).toEqual([101, 101, 101, 101])
  expect(await statusesOf({}, origins, 'example.org:443')).toEqual([101, 101, 403, 403])
  const others = ['https://example.org:8443', 'https://example.org.evil.example', 'https://xexample.org', 'example.org']
  expect(await statusesOf({}, others, 'example.org')).toEqual([403, 403, 403, 403])
})

test('origins that are listed are accepted beside', async () => {
  const options = { origins: ['https://app.example:8443', 'null'] }
  const origins = ['https://app.example:8443', 'HTTPS://APP.EXAMPLE:8443', 'https://app.example', 'null', 'own']
  expect(await statusesOf(options, origins)).toEqual([101, 101, 403, 101, 101])
  expect(await statusesOf({ origins: ['*'] }, ['https://evil.example', 'null'])).toEqual([101, 101])
  expect(await statusesOf({ origins: [] }, ['https://evil.example'])).toEqual([403])
})

test('a reject event says who was refused', async () => {
  await using pull = new Pull()
  const events = pull.events()
  const { address } = pull.bind('ws://127.0.0.1:0/')
  expect(await statusOf(address, 'https://evil.example')).toBe(403)
  const rejected = (await events.next()).value as RejectEvent
  expect(rejected.requestHeaders).toMatchObject({ origin: 'https://evil.example' })
  expect(rejected.error.message).toMatch(/^EPERM: .*403 Forbidden.*options admit and origins/)
})

test('the option holds for endpoints bound later', async () => {
  await using pull = new Pull({ origins: ['https://one.example'] })
  expect(pull.origins).toEqual(['https://one.example'])
  const first = pull.bind('ws://127.0.0.1:0/').address
  pull.origins = []
  const second = pull.bind('ws://127.0.0.1:0/').address
  expect(await statusOf(first, 'https://one.example')).toBe(101)
  expect(await statusOf(second, 'https://one.example')).toBe(403)
})

test('devices refuse them, too', async () => {
  await using device = new Device('pipeline')
  const address = device.first.bind('ws://127.0.0.1:0/')
  expect(await statusOf(address, 'https://evil.example')).toBe(403)
})

test('with nn all are accepted, until the option is set', async () => {
  const s = nn.nn_socket(nn.AF_SP, nn.NN_PULL)
  try {
    const open = nn.nn_endpoint_address(s, nn.nn_bind(s, 'ws://127.0.0.1:0/'))
    nn.nn_setsockopt(s, nn.NN_WS, nn.NN_WS_ORIGINS, 'self')
    const guarded = nn.nn_endpoint_address(s, nn.nn_bind(s, 'ws://127.0.0.1:0/'))
    expect(await statusOf(open, 'https://evil.example')).toBe(101)
    expect(await statusOf(guarded, 'https://evil.example')).toBe(403)
  } finally {
    nn.nn_close(s)
  }
})

test.each<[string, unknown]>([
  ['no array', 'https://example.org'],
  ['a number', [1]],
  ['a path', ['https://example.org/']],
  ['no scheme', ['example.org']],
  ['two in one', ['https://a.example https://b.example']],
  ['a word of the engine', ['self']],
  ['nothing', ['']],
  ['too much', Array.from({ length: 5000 }, (_, i) => `https://a${i}.example`)],
])('%s is EINVAL, and changes nothing', async (_, wrong) => {
  const origins = wrong as string[]
  expect(() => new Pull({ origins })).toThrow(/^EINVAL: .*origins/)
  await using pull = new Pull({ origins: ['null'] })
  expect(() => {
    pull.origins = origins
  }).toThrow(/^EINVAL/)
  expect(pull.origins).toEqual(['null'])
})
