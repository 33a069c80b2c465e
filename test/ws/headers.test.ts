/** Headers that our sockets add to the request that opens a WebSocket, as npm's `ws` reads them. */
import { once } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type ConnectEvent, Pair, Pull, Push, Rep, Req, type SocketOptions } from 'nanomsg-native'
import * as nn from 'nanomsg-native/nn'
import { expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'

/** What a server of theirs reads from a socket with these options. */
async function headersOf(use: (address: string) => Push): Promise<IncomingHttpHeaders> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'pull.sp.nanomsg.org' })
  await once(server, 'listening')
  await using _ = use(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  const [ws, request] = await once(server, 'connection')
  ws.on('error', () => {})
  ws.terminate()
  server.close()
  return request.headers
}

test('a server of theirs reads the headers', async () => {
  const requestHeaders = { Authorization: 'Bearer abc', 'X-Place': 'Café, a: b', 'X-Empty': '' }
  const headers = await headersOf((address) => {
    const push = new Push({ requestHeaders })
    expect(push.requestHeaders).toEqual(requestHeaders)
    push.connect(address)
    return push
  })
  expect(headers).toMatchObject({ authorization: 'Bearer abc', 'x-place': 'Café, a: b', 'x-empty': '' })
  expect(headers.upgrade).toBe('websocket')
})

test('they hold for endpoints made later', async () => {
  const headers = await headersOf((address) => {
    const push = new Push({ requestHeaders: { 'X-Old': '1', 'X-Both': '1' } })
    push.requestHeaders = { 'X-Both': '2' }
    push.connect(address)
    push.requestHeaders = {}
    return push
  })
  expect(headers['x-both']).toBe('2')
  expect(headers).not.toHaveProperty('x-old')
})

test.each<[string, unknown]>([
  ['no object', 'X: y'],
  ['null', null],
  ['an array', ['X: y']],
  ['a number', { X: 1 }],
  ['a line end', { X: 'y\r\nHost: example.org' }],
  ['a NUL', { X: 'a\0b' }],
  ['beyond Latin-1', { X: '…' }],
  ['no name', { '': 'y' }],
  ['a wrong name', { 'X Y': 'z' }],
  ['a name with a colon', { 'X:': 'z' }],
  ['Host', { host: 'example.org' }],
  ['Connection', { Connection: 'close' }],
  ['Sec-WebSocket-Key', { 'Sec-WebSocket-Key': 'x' }],
  ['too much', { X: 'y'.repeat(3072 - 4) }],
])('%s is EINVAL, and changes nothing', async (_, wrong) => {
  const requestHeaders = wrong as SocketOptions['requestHeaders']
  expect(() => new Pair({ requestHeaders: requestHeaders! })).toThrow(/^EINVAL: .*requestHeaders/)
  await using pair = new Pair({ requestHeaders: { X: 'y'.repeat(3072 - 5) } })
  expect(() => {
    pair.requestHeaders = requestHeaders!
  }).toThrow(/^EINVAL/)
  expect(pair.requestHeaders).toEqual({ X: 'y'.repeat(3072 - 5) })
})

test('a message about a wrong value does not show it', () => {
  expect(() => new Pair({ requestHeaders: { Authorization: 'secret\n' } })).toThrow(/^(?!.*secret)/)
})

test('with nn, the headers of a client of theirs are control data', async () => {
  const s = nn.nn_socket(nn.AF_SP, nn.NN_PULL)
  try {
    nn.nn_setsockopt(s, nn.NN_WS, nn.NN_WS_PEER_HEADERS, 1)
    const address = nn.nn_endpoint_address(s, nn.nn_bind(s, 'ws://127.0.0.1:0/'))
    const ws = new WebSocket(address, ['pull.sp.nanomsg.org'], { headers: { 'X-User': 'zero' } })
    ws.on('error', () => {})
    await once(ws, 'open')
    ws.send('work')
    const header: nn.nn_msghdr = { msg_iov: [{ iov_base: null, iov_len: nn.NN_MSG }], msg_controllen: nn.NN_MSG }
    expect(await nn.nn_recvmsg(s, header)).toBe(4)
    let record = nn.NN_CMSG_FIRSTHDR(header)
    while (record && record.cmsg_type !== nn.NN_WS_PEER_HEADERS) record = nn.NN_CMSG_NXTHDR(header, record)
    expect(record?.cmsg_level).toBe(nn.NN_WS)
    const text = nn.NN_CMSG_DATA(record!).toString('latin1')
    expect(text.slice(0, text.indexOf('\0'))).toContain('X-User: zero\r\n')
    ws.terminate()
  } finally {
    nn.nn_close(s)
  }
})

test('a server of ours reads the headers of a client of theirs in its events', async () => {
  await using pull = new Pull()
  const events = pull.events()
  const headers = { 'X-User': 'Ren\u00e9', Cookie: 'a=b', 'X-Many': ['1', '2'] }
  const ws = new WebSocket(pull.bind('ws://127.0.0.1:0/').address, ['pull.sp.nanomsg.org'], { headers })
  ws.on('error', () => {})
  const { value: connected } = await events.next()
  expect(connected).toMatchObject({
    type: 'connect',
    requestHeaders: { 'x-user': 'Ren\u00e9', cookie: 'a=b', 'x-many': '1, 2', upgrade: 'websocket' },
  })
  ws.terminate()
  const { value: disconnected } = await events.next()
  expect(disconnected).toMatchObject({ type: 'disconnect', requestHeaders: connected.requestHeaders })
})

test('clients have no headers of their peer, and messages bring none', async () => {
  await using rep = new Rep()
  await using req = new Req({ requestHeaders: { Constructor: 'a', __Proto__: 'b' } })
  const ofReq = req.events()
  const ofRep = rep.events()
  req.connect(rep.bind('ws://127.0.0.1:0/').address)
  expect((await ofReq.next()).value).toMatchObject({ type: 'connect', requestHeaders: undefined })
  const { requestHeaders } = (await ofRep.next()).value as ConnectEvent
  expect(Object.entries(requestHeaders!)).toContainEqual(['__proto__', 'b'])
  expect(requestHeaders!.constructor).toBe('a')
})

test.each([
  [
    'ws://127.0.0.1:0/here',
    'ws://127.0.0.1/there',
    /ECONNREFUSED.* \(HTTP\/1\.1 404 Not Found\)/,
    /ENOENT.* \(404 Not Found\)/,
  ],
  [
    'ws://127.0.0.1:0/here',
    'ws://127.0.0.1/here',
    /ECONNREFUSED.* \(HTTP\/1\.1 400 Incompatible/,
    /EPROTOTYPE.* \(400 Incomp/,
  ],
])('both sides are told why %s refuses a Req at %s', async (bound, wanted, toClient, toServer) => {
  await using pull = new Pull()
  await using req = new Req()
  const ofPull = pull.events()
  const ofReq = req.events()
  const { port } = new URL(pull.bind(bound).address)
  const { pathname } = new URL(wanted)
  req.connect(`ws://127.0.0.1:${port}${pathname}`)
  expect((await ofReq.next()).value).toMatchObject({
    type: 'reject',
    error: { message: expect.stringMatching(toClient) },
  })
  expect((await ofPull.next()).value).toMatchObject({
    type: 'reject',
    error: { message: expect.stringMatching(toServer) },
  })
})

test('with nn, the headers of requests are text', () => {
  const s = nn.nn_socket(nn.AF_SP, nn.NN_PUSH)
  nn.nn_setsockopt(s, nn.NN_WS, nn.NN_WS_REQUEST_HEADERS, 'X: y\r\n')
  expect(nn.nn_getsockopt(s, nn.NN_WS, nn.NN_WS_REQUEST_HEADERS)).toBe('X: y\r\n')
  expect(() => nn.nn_setsockopt(s, nn.NN_WS, nn.NN_WS_REQUEST_HEADERS, 'Host: y\r\n')).toThrow(/EINVAL/)
  nn.nn_close(s)
})

test('a Rep that is asked with headers answers', async () => {
  await using rep = new Rep()
  await using req = new Req({ requestHeaders: { Cookie: 'a=b' } })
  req.connect(rep.bind('ws://127.0.0.1:0/').address)
  await req.send('question')
  expect((await rep.receive()).toString()).toBe('question')
  await rep.send('answer')
  expect((await req.receive()).toString()).toBe('answer')
})
