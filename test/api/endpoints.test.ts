import { existsSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { networkInterfaces } from 'node:os'
import { Bus, Pair, Pull, Push } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll, failureOf, temporaryFolder, transports, turn } from './support.js'

describe('a port that the system chooses', () => {
  test('is told by the endpoint', async () => {
    await using pull = new Pull()
    const { address } = pull.bind('tcp://127.0.0.1:0')
    expect(address).toMatch(/^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/)
    await using push = new Push()
    push.connect(address)
    await push.send('through it')
    expect(String(await pull.receive())).toBe('through it')
  })

  test('on all interfaces, too', async () => {
    await using pull = new Pull()
    const port = /:(\d+)$/.exec(pull.bind('tcp://*:0').address)![1]
    await using push = new Push()
    push.connect(`tcp://localhost:${port}`)
    await push.send('x')
    expect(String(await pull.receive())).toBe('x')
  })
})

const overIpv6 = test.runIf(
  Object.values(networkInterfaces())
    .flat()
    .some((entry) => entry?.address === '::1'),
)

describe('IPv6', () => {
  overIpv6('is used unless it is switched off', async () => {
    await using pull = new Pull()
    const { address } = pull.bind('tcp://[::1]:0')
    await using push = new Push()
    push.connect(address)
    await push.send('x')
    expect(String(await pull.receive())).toBe('x')
    const { code } = await failureOf(() => new Pull({ ipv6: false }).bind('tcp://[::1]:0'))
    expect(code).toBe('ENODEV')
  })

  overIpv6('is heard beside IPv4 on all interfaces, and each peer has its own address', async () => {
    await using pull = new Pull()
    const events = pull.events()
    const port = /:(\d+)$/.exec(pull.bind('tcp://*:0').address)![1]
    for (const host of ['127.0.0.1', '[::1]']) {
      await using push = new Push()
      push.connect(`tcp://${host}:${port}`)
      const { value } = await events.next()
      expect(value.type === 'connect' && value.remoteAddress).toContain(`tcp://${host}:`)
      await push.send(host)
      expect(String(await pull.receive())).toBe(host)
      await push.close()
      await events.next()
    }
  })
})

describe.each(transports)('over $scheme', ({ address }) => {
  test('a socket may connect before its peer is bound', async () => {
    await using pull = new Pull()
    const free = pull.bind(address())
    free.close()
    await using push = new Push({ reconnectInterval: 5 })
    push.connect(free.address)
    const sent = push.send('early')
    pull.bind(free.address)
    expect(String(await pull.receive())).toBe('early')
    await sent
  })

  test('an address that is taken is EADDRINUSE, and free again once its endpoint is closed', async () => {
    await using first = new Pull()
    await using second = new Pull()
    const endpoint = first.bind(address())
    const error = await failureOf(() => second.bind(endpoint.address))
    expect(error.code).toBe('EADDRINUSE')
    expect(error.message).toContain(endpoint.address)
    endpoint.close()
    endpoint.close() // does nothing
    expect(second.bind(endpoint.address).address).toBe(endpoint.address)
  })

  test('a socket has many endpoints, bound and connected', async () => {
    await using pull = new Pull()
    const [one, two] = [pull.bind(address()), pull.bind(address())]
    await using pushA = new Push()
    await using pushB = new Push()
    await using listening = new Push()
    pushA.connect(one.address)
    pushB.connect(two.address)
    pull.connect(listening.bind(address()).address)
    await Promise.all([pushA.send('a'), pushB.send('b'), listening.send('c')])
    const received = [await pull.receive(), await pull.receive(), await pull.receive()].map(String)
    expect(received.sort()).toEqual(['a', 'b', 'c'])
  })

  test('closing an endpoint ends its connections and leaves the others', async () => {
    await using pull = new Pull()
    const [one, two] = [pull.bind(address()), pull.bind(address())]
    await using push = new Push({ sendTimeout: 2000 })
    const gone = push.connect(one.address)
    await push.send('by one')
    expect(String(await pull.receive())).toBe('by one')
    gone.close()
    expect(push.trySend('to nobody')).toBe(false)
    push.connect(two.address)
    await push.send('by two')
    expect(String(await pull.receive())).toBe('by two')
  })
})

test('an endpoint of a closed socket may still be closed', async () => {
  const pull = new Pull()
  const bound = pull.bind('tcp://127.0.0.1:0')
  const connected = pull.connect('tcp://127.0.0.1:1')
  await pull.close()
  bound.close()
  connected.close()
  await using next = new Pull()
  expect(next.bind(bound.address).address).toBe(bound.address)
})

test('an address is told as it was given where nothing had to be chosen', async () => {
  await using pull = new Pull()
  expect(pull.bind('inproc://told').address).toBe('inproc://told')
  expect(pull.connect('tcp://localhost:1').address).toBe('tcp://localhost:1')
})

test('a socket may be bound to an address and connected to the same: it speaks to itself', async () => {
  await using bus = new Bus()
  bus.connect(bus.bind('inproc://itself').address)
  let isHeard = false
  const heard = bus.receive().then((message) => {
    isHeard = true
    return message
  })
  while (!isHeard) {
    await bus.send('echo')
    await turn()
  }
  expect(String(await heard)).toBe('echo')
})

test('an ipc socket leaves no file behind', async () => {
  using folder = temporaryFolder()
  const path = `${folder.path}/socket`
  const pull = new Pull()
  pull.bind(`ipc://${path}`)
  expect(existsSync(path)).toBe(true)
  await pull.close()
  expect(existsSync(path)).toBe(false)
})

async function expectToWork(pair: Pair): Promise<void> {
  await using other = new Pair()
  connectAll('inproc://works', pair, other)
  await other.send('x')
  expect(String(await pair.receive())).toBe('x')
}

describe('a wrong address', () => {
  const wrong: [string, string][] = [
    ['', 'EINVAL'],
    ['tcp', 'EINVAL'],
    ['127.0.0.1:80', 'EINVAL'],
    ['tcp://', 'EINVAL'],
    ['tcp://127.0.0.1', 'EINVAL'],
    ['tcp://127.0.0.1:', 'EINVAL'],
    ['tcp://127.0.0.1:x', 'EINVAL'],
    ['tcp://127.0.0.1:65536', 'EINVAL'],
    ['tcp://127.0.0.1:-1', 'EINVAL'],
    ['tcp://:5555', 'EINVAL'],
    ['nonsense://x', 'EPROTONOSUPPORT'],
    [`ipc://${'p'.repeat(120)}`, 'ENAMETOOLONG'],
    [`inproc://${'n'.repeat(200)}`, 'ENAMETOOLONG'],
  ]

  test.each(wrong)('%j is %s for connect, and changes nothing', async (address, code) => {
    await using pair = new Pair()
    const error = await failureOf(() => pair.connect(address))
    expect([error.code, error.syscall]).toEqual([code, 'connect'])
    await expectToWork(pair)
  })

  test.each(wrong.filter(([address]) => address !== 'tcp://:5555'))(
    '%j is %s for bind, and changes nothing',
    async (address, code) => {
      await using pair = new Pair()
      const error = await failureOf(() => pair.bind(address))
      expect([error.code, error.syscall]).toEqual([code, 'bind'])
      await expectToWork(pair)
    },
  )

  test('is told from one that this machine does not have', async () => {
    await using pair = new Pair()
    expect((await failureOf(() => pair.bind('tcp://192.0.2.1:0'))).code).toMatch(/^(EADDRNOTAVAIL|ENODEV)$/)
    expect((await failureOf(() => pair.bind('tcp://nosuchinterface:0'))).code).toBe('ENODEV')
    expect((await failureOf(() => pair.connect('tcp://nosuchinterface;127.0.0.1:80'))).code).toBe('ENODEV')
    expect((await failureOf(() => pair.bind('ipc:///no/such/folder/socket'))).code).toBe('ENOENT')
  })

  test.each([undefined, null, 5, {}, Buffer.from('tcp://127.0.0.1:1')])('cannot be %o', async (address) => {
    await using pair = new Pair()
    expect((await failureOf(() => pair.bind(address as never))).message).toContain('address must be a string')
  })

  test('with a NUL inside is refused rather than cut', async () => {
    await using pair = new Pair()
    expect((await failureOf(() => pair.bind('inproc://a\0b'))).code).toBe('EINVAL')
  })
})

test('a name that cannot be resolved is tried again, and disturbs no other', async () => {
  await using push = new Push({ reconnectInterval: 5 })
  push.connect('tcp://no-such-host.invalid:5555')
  await using pull = new Pull()
  push.connect(pull.bind('tcp://127.0.0.1:0').address)
  await push.send('x')
  expect(String(await pull.receive())).toBe('x')
})

test('the handshake of a bound port has the protocol and its number', async () => {
  await using pull = new Pull()
  const port = Number(/:(\d+)$/.exec(pull.bind('tcp://127.0.0.1:0').address)![1])
  const client = connectTcp(port, '127.0.0.1')
  const handshake = await new Promise<Buffer>((resolve) => client.once('data', resolve))
  client.destroy()
  expect(handshake.toString('hex')).toBe('0053500000510000')
})
