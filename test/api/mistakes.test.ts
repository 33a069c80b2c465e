/** Mistakes that are made with sockets, and what their errors say: what has happened, why, and what to do. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import {
  allocMessage,
  NanomsgError,
  Pair,
  Pub,
  Pull,
  Push,
  Rep,
  Req,
  registerTransport,
  Sub,
  Surveyor,
} from 'nanomsg-native'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { failureOf, temporaryFolder } from './support.js'

const soon = { timeout: 300 }
const once = { timeout: 0 }

/** What is to be closed after the test. */
const ends: (() => unknown)[] = []
let folder: string
/** A port without a listener: the socket that was bound to it is closed. */
let unused: string

/** Opened with the test, and closed after it. */
function opened<Socket extends AsyncDisposable>(socket: Socket): Socket {
  ends.push(() => socket[Symbol.asyncDispose]())
  return socket
}

beforeEach(async () => {
  const made = temporaryFolder()
  ends.push(() => made[Symbol.dispose]())
  folder = made.path
  const pull = new Pull()
  unused = pull.bind('tcp://127.0.0.1:0').address
  await pull.close()
})

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** A Pull that is bound. */
function bound() {
  const pull = opened(new Pull())
  return { pull, address: pull.bind('tcp://127.0.0.1:0').address }
}

function connected<Socket extends AsyncDisposable & { connect(address: string): unknown }>(
  socket: Socket,
  address: string,
): Socket {
  opened(socket).connect(address)
  return socket
}

const file = () => {
  writeFileSync(join(folder, 'file'), 'keep')
  return join(folder, 'file')
}

const pem = (label: string) => `-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`

/** The mistake, the code, and parts of the text of its error. */
const mistakes: readonly (readonly [string, string, () => unknown, ...(string | RegExp)[]])[] = [
  ['no scheme', 'EINVAL', () => opened(new Pull()).bind('127.0.0.1:5555'), 'Write addresses as tcp://'],
  ['no port', 'EINVAL', () => opened(new Push()).connect('tcp://127.0.0.1'), 'Write addresses as tcp://host:5555'],
  ['another scheme', 'EPROTONOSUPPORT', () => opened(new Push()).connect('http://a:80'), 'Addresses begin with tcp://'],
  [
    'undefined as an address',
    'EINVAL',
    () => opened(new Push()).connect(undefined as never),
    'address must be a string',
  ],
  [
    'the name of a host to bind to',
    'ENODEV',
    () => opened(new Pull()).bind('tcp://no-interface:5555'),
    'No interface of this machine has that name',
    'names of other hosts are for connect()',
  ],
  [
    'an address of another machine',
    'EADDRNOTAVAIL',
    () => opened(new Pull()).bind('tcp://192.0.2.1:5555'),
    'No interface of this machine has that address',
  ],
  ['a port in use', 'EADDRINUSE', () => opened(new Pull()).bind(bound().address), 'close it, or choose port 0'],
  [
    'a file at an ipc path',
    'EADDRINUSE',
    () => opened(new Pull()).bind(`ipc://${file()}`),
    'A file that is no socket is at the path',
    'choose another path',
  ],
  [
    'a folder at an ipc path',
    'EADDRINUSE',
    () => opened(new Pull()).bind(`ipc://${folder}`),
    'A folder is at the path',
  ],
  [
    'an ipc path in use',
    'EADDRINUSE',
    () => {
      opened(new Pull()).bind(`ipc://${folder}/taken`)
      opened(new Pull()).bind(`ipc://${folder}/taken`)
    },
    'The path is in use',
    'choose another path',
  ],
  [
    'no such folder',
    'ENOENT',
    () => opened(new Pull()).bind(`ipc://${folder}/none/socket`),
    'The folder of the path does not exist: create it',
  ],
  [
    'a file for a folder',
    'ENOTDIR',
    () => opened(new Pull()).bind(`ipc://${file()}/socket`),
    'A part of the path is a file and no folder',
  ],
  [
    'a path that is too long',
    'ENAMETOOLONG',
    () => opened(new Pull()).bind(`ipc://${folder}/${'x'.repeat(120)}`),
    /The address has \d+ bytes, which is too long/,
  ],
  [
    'no peer there, send()',
    'ETIMEDOUT',
    () => connected(new Push(), unused).send('x', soon),
    'No peer took the message in time, send (no peer is connected; the last failure: ECONNREFUSED',
  ],
  [
    'no peer there, sendBatch()',
    'ETIMEDOUT',
    () => connected(new Push(), unused).sendBatch(['x', 'y'], soon),
    'No peer took all messages in time, sendBatch (no peer is connected; the last failure: ECONNREFUSED',
  ],
  [
    'no peer there, request()',
    'ETIMEDOUT',
    () => connected(new Req(), unused).request('x', soon),
    'No reply came in time, request (no peer is connected; the request was not sent yet; the last failure: ECONNREFUSED',
    'No process listens there now; the socket tries again',
  ],
  [
    'no peer there, ready()',
    'ETIMEDOUT',
    () => connected(new Push(), unused).ready(soon),
    'ready (0 of 1 peers are connected; the last failure: ECONNREFUSED',
  ],
  [
    'neither bound nor connected, request()',
    'ETIMEDOUT',
    () => opened(new Req()).request('x', { timeout: 1 }),
    'the socket is neither bound nor connected',
    'Call bind() or connect() first',
  ],
  [
    'neither bound nor connected, receive()',
    'ETIMEDOUT',
    () => opened(new Pull()).receive({ timeout: 1 }),
    'No message came in time, receive (the socket is neither bound nor connected). Call bind() or connect() first.',
  ],
  [
    'a peer of a wrong type',
    'ETIMEDOUT',
    () => connected(new Req(), bound().address).request('x', soon),
    'the last failure: EPROTOTYPE',
    'The peer is a socket of a type that does not go with this one',
  ],
  [
    'a second peer of a Pair',
    'ETIMEDOUT',
    async () => {
      const { address } = opened(new Pair()).bind('tcp://127.0.0.1:0')
      await connected(new Pair(), address).ready()
      await connected(new Pair(), address).send('x', soon)
    },
    'it has a peer already',
  ],
  [
    'no subscription',
    'ETIMEDOUT',
    async () => {
      const { address } = opened(new Pub()).bind('tcp://127.0.0.1:0')
      const sub = connected(new Sub(), address)
      await sub.ready()
      await sub.receive({ timeout: 1 })
    },
    'this Sub has no subscription',
    'Call subscribe()',
  ],
  [
    'no reply',
    'ETIMEDOUT',
    async () => {
      const { address } = opened(new Rep()).bind('tcp://127.0.0.1:0')
      const req = connected(new Req(), address)
      await req.ready()
      await req.request('x', { timeout: 50 })
    },
    'request (1 peer is connected; the request was sent once, and no reply has come)',
  ],
  [
    'a message that is too long, receive()',
    'ETIMEDOUT',
    async () => {
      const { pull, address } = bound()
      await connected(new Push(), address).send(Buffer.alloc(2 ** 21))
      await pull.receive(soon)
    },
    'The peer sent more than maxMessageSize allows',
  ],
  [
    'an object as a body',
    'EINVAL',
    () => opened(new Push()).send({} as never),
    'must be a Buffer, a Uint8Array or a string',
  ],
  [
    'serve() twice',
    'EINVAL',
    async () => {
      const rep = opened(new Rep())
      void rep.serve((body) => body)
      await rep.serve((body) => body)
    },
    'The socket is serving already',
    'End serve() by its signal first',
  ],
  [
    'receive() while serving',
    'EFSM',
    async () => {
      const rep = opened(new Rep())
      void rep.serve((body) => body)
      await rep.receive(soon)
    },
    'what comes goes to the handler of serve()',
  ],
  [
    'a string for a number',
    'EINVAL',
    () => opened(new Push({ sendTimeout: '100' as never })),
    'sendTimeout must be a whole',
  ],
  [
    'text frames where messages have headers',
    'EINVAL',
    () => opened(new Rep({ textFrames: true })),
    'textFrames must be false on a rep, whose messages begin with binary headers',
  ],
  [
    'a misspelt option',
    'EINVAL',
    () => opened(new Push({ sendTimout: 1 } as never)),
    'did you mean sendTimeout?',
    'an option must be one of',
  ],
  [
    'an option of zeromq.js',
    'EINVAL',
    () => opened(new Push({ sendHighWaterMark: 1 } as never)),
    'did you mean sendBuffer?',
  ],
  [
    'a closed socket',
    'EBADF',
    async () => {
      const push = new Push()
      await push.close()
      await push.send('x')
    },
    'send (the socket is closed). Open a new one',
  ],
  ['a Rep without a request', 'EFSM', () => opened(new Rep()).send('x'), 'Receive a request before you reply'],
  ['a Req without a request', 'EFSM', () => opened(new Req()).receive(once), 'before you receive an answer'],
  [
    'a certificate that is missing',
    'ENOENT',
    () => opened(new Pull({ tls: { cert: `${folder}/none.pem` } })).bind('tls+tcp://127.0.0.1:0'),
    /tls\.cert ".*none\.pem"/,
  ],
  ['no certificate', 'EINVAL', () => opened(new Pull()).bind('tls+tcp://127.0.0.1:0'), 'The option tls has no cert'],
  [
    'a certificate of garbage',
    'EINVAL',
    () =>
      opened(new Pull({ tls: { cert: pem('CERTIFICATE'), key: pem('PRIVATE KEY') } })).bind('tls+tcp://127.0.0.1:0'),
    'tls.cert cannot be read',
  ],
  [
    'a name that DNS does not know',
    'ETIMEDOUT',
    () => connected(new Req(), 'tcp://nosuch.invalid:5555').request('x', { timeout: 2000 }),
    /the last failure: (ENOTFOUND|EAI_AGAIN): No .* name, connect tcp:\/\/nosuch\.invalid:5555/,
  ],
  [
    'a name of a transport that is taken',
    'EEXIST',
    () => registerTransport('tcp', { connect: () => Promise.reject(new Error()) }),
    'There is a transport of that name',
    'Choose another name',
  ],
  ['a size that is none', 'EINVAL', () => allocMessage(-1), 'size must be a number of bytes'],
]

describe('the error of', () => {
  const table = mistakes.map(([mistake, code, call, ...parts]) => ({ mistake, code, call, parts }))

  test.each(table)('$mistake is $code, and says what, why and what to do', async ({ code, call, parts }) => {
    const error = await failureOf(call)
    expect(error.code).toBe(code)
    for (const part of parts) {
      if (typeof part === 'string') expect(error.message).toContain(part)
      else expect(error.message).toMatch(part)
    }
    expect(error.stack).toContain('mistakes.test.ts')
  })
})

describe('what the engine knows', () => {
  test('is in the fields of an error as well', async () => {
    const error = await failureOf(() => connected(new Req(), unused).request('x', soon))
    expect(error).toMatchObject({ peers: 0, sent: 0, syscall: 'request' })
    expect(error.attempts).toBeGreaterThan(0)
    expect(error.lastFailure).toBeInstanceOf(NanomsgError)
    expect(error.lastFailure).toMatchObject({ code: 'ECONNREFUSED', syscall: 'connect' })
    expect(await failureOf(() => opened(new Pull()).receive({ timeout: 1 }))).toMatchObject({ peers: 0, attempts: 0 })
  })

  test('says nothing about errors that have nothing to do with it', async () => {
    const error = await failureOf(() => opened(new Push()).connect('tcp://127.0.0.1'))
    for (const name of ['peers', 'attempts', 'sent', 'lastFailure']) expect(error).not.toHaveProperty(name)
  })

  test('is how often a request was sent, in all its retries', async () => {
    const { address } = opened(new Rep()).bind('tcp://127.0.0.1:0')
    const req = connected(new Req(), address)
    await req.ready()
    const error = await failureOf(() => req.request('x', { timeout: 1000, retry: 100 }))
    expect(error.sent).toBeGreaterThan(1)
    await req.send('y')
    expect(await failureOf(() => req.receive({ timeout: 1 }))).toMatchObject({ sent: 1 })
  })

  test('is forgotten where the endpoint is connected', async () => {
    const push = connected(new Push({ sendBuffer: 1 }), unused)
    expect((await failureOf(() => push.send('x', soon))).lastFailure?.code).toBe('ECONNREFUSED')
    opened(new Pull()).bind(unused)
    await push.ready()
    expect(await failureOf(() => push.ready({ peers: 2, timeout: 1 }))).not.toHaveProperty('lastFailure')
  })

  test('says of a peer that speaks another protocol that it does', async () => {
    const server = createServer((connection) => connection.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    ends.push(() => new Promise((resolve) => server.close(resolve)))
    const { port } = server.address() as { port: number }
    const error = await failureOf(() => connected(new Req(), `tcp://127.0.0.1:${port}`).request('x', soon))
    expect(error.lastFailure).toMatchObject({ code: 'EPROTO', syscall: 'reject' })
  })
})

describe('ifConnected', () => {
  const calls = [
    ['send', () => connected(new Push(), unused).send('x', { ifConnected: true })],
    ['request', () => connected(new Req(), unused).request('x', { ifConnected: true })],
    ['survey', () => connected(new Surveyor(), unused).survey('x', { ifConnected: true })],
  ] as const

  test.each(calls)('makes %s() fail at once when no peer is there', async (syscall, call) => {
    const error = await failureOf(call)
    expect(error).toMatchObject({ code: 'ENOTCONN', syscall, peers: 0 })
    expect(error.message).toContain('No peer is connected')
  })

  test('changes nothing where a peer is connected', async () => {
    const { pull, address } = bound()
    const push = connected(new Push(), address)
    await push.ready()
    await push.send('x', { ifConnected: true })
    expect(String(await pull.receive())).toBe('x')
  })

  test.each([
    ['send', () => opened(new Push()).send('x', { ifConnected: true, signal: AbortSignal.abort('enough') })],
    ['request', () => opened(new Req()).request('x', { ifConnected: true, signal: AbortSignal.abort('enough') })],
  ] as const)('leaves %s() to a signal that is aborted', async (_, call) => {
    await expect(call()).rejects.toBe('enough')
  })

  test('is true or false', async () => {
    const wrong = { ifConnected: 1 as never }
    expect((await failureOf(() => opened(new Push()).send('x', wrong))).message).toContain('ifConnected must be true')
    expect((await failureOf(() => opened(new Req()).request('x', wrong))).code).toBe('EINVAL')
    expect((await failureOf(() => opened(new Surveyor()).survey('x', wrong))).code).toBe('EINVAL')
  })
})

test('a URL is an address', () => {
  mkdirSync(join(folder, 'a b'))
  const pull = opened(new Pull())
  const push = opened(new Push())
  const { address } = pull.bind(new URL('tcp://127.0.0.1:0'))
  push.connect(new URL(address))
  expect(opened(new Pull()).bind(new URL('tcp://*:0')).address).toMatch(/^tcp:\/\/.*:\d+$/)
  expect(push.connect(new URL('ws://127.0.0.1:80/path')).address).toBe('ws://127.0.0.1:80/path')
  expect(push.connect(new URL('ws://127.0.0.1/path')).address).toBe('ws://127.0.0.1:80/path')
  expect(push.connect(new URL('tcp://[::1]:5555')).address).toBe('tcp://[::1]:5555')
  expect(push.connect(new URL('ws://ws/path')).address).toBe('ws://ws:80/path')
  for (const wrong of ['ws://user:secret@127.0.0.1/path', 'ws://127.0.0.1/path#part']) {
    expect(() => push.connect(new URL(wrong))).toThrow(/^EINVAL: address must be a URL without user/)
  }
})

test('the reason of a signal is passed on as it is', async () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const own = Object.freeze(new NanomsgError('mine', { code: 'EMINE', errno: 1, syscall: 'mine' }))
  for (const reason of [own, proxy]) {
    for (const call of [
      (signal: AbortSignal) => opened(new Pull()).receive({ timeout: 60000, signal }),
      (signal: AbortSignal) => opened(new Req()).request('x', { timeout: 60000, signal }),
    ]) {
      const controller = new AbortController()
      const ended = call(controller.signal).then(
        () => false,
        (error: unknown) => error === reason,
      )
      controller.abort(reason)
      expect(await ended).toBe(true)
    }
  }
})

test('calls that end with their socket have their own names', async () => {
  const req = new Req()
  const sub = new Sub()
  const push = new Push()
  const calls = [req.request('x'), req.ready(), sub.receive(), push.send('x'), push.sendBatch(['x'])]
  const settled = Promise.allSettled(calls)
  await Promise.all([req.close(), sub.close(), push.close()])
  const reasons = (await settled).map((end) => end.status === 'rejected' && (end.reason as NanomsgError))
  expect(reasons.map((reason) => reason && [reason.code, reason.syscall])).toEqual(
    ['request', 'ready', 'receive', 'send', 'sendBatch'].map((syscall) => ['EBADF', syscall]),
  )
})
