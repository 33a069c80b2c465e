import { Duplex } from 'node:stream'
import { inherits } from 'node:util'
import nanoDefault, * as nano from 'nanomsg-native/compat'
import { describe, expect, test } from 'vitest'
import { turn, until } from '../api/support.js'
import { errorOf, newAddress, Sockets, text } from './support.js'

const types = ['req', 'rep', 'pair', 'push', 'pull', 'pub', 'sub', 'bus', 'surveyor', 'respondent'] as const

describe('the module', () => {
  test('has what the npm package has, also as its default export', () => {
    const names = [
      '_bindings',
      'Socket',
      'createSocket',
      'socket',
      'createDevice',
      'device',
      'symbol',
      'symbolInfo',
      'term',
    ]
    for (const name of names) {
      expect(nano).toHaveProperty(name)
      expect(nanoDefault).toHaveProperty(name, nano[name as keyof typeof nano])
    }
  })

  test('tells the symbols of the library', () => {
    expect(nano.symbol(0)).toEqual({ name: 'NN_NS_NAMESPACE', value: 0 })
    expect(() => nano.symbol(-1)).toThrow(/^Invalid argument$/)
    expect(() => nano.symbol(9999)).toThrow(/^Invalid argument$/)
    expect(nano.symbolInfo(46)).toEqual({ name: 'NN_LINGER', value: 1, ns: 6, type: 1, unit: 2 })
    expect(nano.symbolInfo(9999)).toBe(undefined)
    expect([nano.symbol('3' as never).name, nano.symbolInfo(undefined as never)?.value]).toEqual(['NN_NS_TRANSPORT', 0])
  })
})

describe('a socket', () => {
  test.each(types)('is a stream of messages: %s', (type) => {
    using sockets = new Sockets()
    const socket = sockets.open(type)
    expect(socket).toBeInstanceOf(Duplex)
    expect(socket).toBeInstanceOf(nano.Socket)
    expect(socket).toMatchObject({
      type,
      af_domain: 1,
      protocol: nano._bindings[`NN_${type.toUpperCase()}`],
      sender: !['pull', 'sub'].includes(type),
      receiver: !['push', 'pub', 'surveyor'].includes(type),
      nndontwait: type === 'push' ? 0 : 1,
      bound: {},
      connected: {},
      queue: [],
      channels: type === 'sub' ? { '': true } : {},
      closed: false,
      readableObjectMode: true,
      writableObjectMode: true,
    })
    expect(socket.binding).toBeGreaterThanOrEqual(0)
  })

  test('is not made of another type', () => {
    expect(() => nano.socket('foo' as never)).toThrow(/^unrecognised socket type foo$/)
    expect(() => nano.socket('toString' as never)).toThrow(/^unrecognised socket type toString$/)
    expect(() => nano.socket(undefined as never)).toThrow(/^unrecognised socket type undefined$/)
    expect(() => nano.socket('sub', { chan: 'a' as never })).toThrow(
      expect.objectContaining({ name: 'TypeError', message: 'chan requires an Array', code: 'EINVAL' }),
    )
  })

  test('can be extended', () => {
    class Named extends nano.Socket {
      readonly name = 'a name'
    }
    const socket = new Named('pub')
    expect([socket.name, socket.linger(5), socket.close()]).toEqual(['a name', true, 0])
  })

  test('is made by a constructor that is a function, too', async () => {
    interface Named extends nano.Socket {
      ownName: string
    }
    const Named = function (this: Named, name: string) {
      nano.Socket.call(this, 'pair', { sndbuf: 5000 })
      this.ownName = name
    } as unknown as new (
      name: string,
    ) => Named
    inherits(Named, nano.Socket)

    const [left, right] = [new Named('left'), new Named('right')]
    expect(left).toBeInstanceOf(Named)
    expect(left).toBeInstanceOf(nano.Socket)
    expect([left.ownName, left.type, left.sndbuf(), nano.socket('pub').close()]).toEqual(['left', 'pair', 5000, 0])
    expect(nano.Socket.prototype.constructor).toBe(nano.Socket)
    expect(nano.Socket.name).toBe('Socket')
    const address = newAddress()
    left.bind(address)
    right.connect(address)
    left.send('from a function')
    expect(await text(right)).toBe('from a function')
    left.close()
    right.close()
  })

  test('takes null for no options, and does not change those that are given', () => {
    nano.socket('pair', null).close()
    const options = Object.freeze({ raw: true, sndbuf: 5000, encoding: 'utf8' as const })
    const socket = nano.socket('pair', options)
    expect([socket.af_domain, socket.sndbuf(), socket.readableEncoding]).toEqual([2, 5000, 'utf8'])
    socket.close()
  })

  test('closes once: it says 0, emits close at once, and says the same ever after', () => {
    const socket = nano.socket('pull')
    let count = 0
    socket.on('close', () => count++)
    expect([socket.close(), count, socket.closed, socket.closed_status]).toEqual([0, 1, true, 0])
    expect([socket.close(), count]).toEqual([0, 1])
  })

  test('is closed when it is destroyed', async () => {
    const socket = nano.socket('pull')
    const closed = new Promise((resolve) => socket.on('close', resolve))
    socket.destroy()
    await closed
    expect([socket.closed, socket.linger()]).toEqual([true, undefined])
  })
})

describe('an endpoint', () => {
  test('is remembered by its address until it is shut down', () => {
    using sockets = new Sockets()
    const socket = sockets.open('pair')
    const [first, second] = [newAddress(), newAddress()]
    expect([socket.bind(first), socket.connect(second)]).toEqual([1, 2])
    expect([socket.bound, socket.connected]).toEqual([{ [first]: 1 }, { [second]: 2 }])
    expect([socket.shutdown(second), socket.shutdown(first), socket.shutdown(first)]).toEqual([0, 0, undefined])
    expect([socket.bound, socket.connected]).toEqual([{}, {}])
  })

  test.each([
    ['inproc:/missing_first_slash', 'Invalid argument', 'EINVAL'],
    [`inproc://${'a'.repeat(128)}`, 'File name too long', 'ENAMETOOLONG'],
    ['tcp://', 'Invalid argument', 'EINVAL'],
    ['tcp://127.0.0.1:port', 'Invalid argument', 'EINVAL'],
    ['tcp://127.0.0.1:65536', 'Invalid argument', 'EINVAL'],
    ['zmq://127.0.0.1:6000', 'Protocol not supported', 'EPROTONOSUPPORT'],
    [undefined, 'Invalid argument', 'EINVAL'],
    [5, 'Invalid argument', 'EINVAL'],
  ])('that is wrong emits an error, and is null: %s', async (address, message, code) => {
    using sockets = new Sockets()
    const socket = sockets.open('pair')
    for (const call of ['bind', 'connect'] as const) {
      const emitted = errorOf(socket)
      expect(socket[call](address as string)).toBe(null)
      expect(await emitted).toMatchObject({ message, code, syscall: call, name: 'Error' })
    }
    expect([socket.bound[String(address)], socket.connected[String(address)]]).toEqual([null, null])
  })

  test('that is wrong throws where there is no listener for errors', () => {
    using sockets = new Sockets()
    expect(() => sockets.open('pair').bind('foo')).toThrow(/^Invalid argument$/)
  })
})

describe('an option', () => {
  const numbers = [
    ['sndbuf', 131_072, 202_400],
    ['rcvbuf', 131_072, 102_400],
    ['sndtimeo', -1, 500],
    ['rcvtimeo', -1, 200],
    ['reconn', 100, 500],
    ['maxreconn', 0, 100_000],
    ['sndprio', 8, 3],
    ['rcvprio', 8, 10],
    ['rcvmaxsize', 1_048_576, 10_000_000],
    ['maxttl', 8, 12],
  ] as const

  test.each(numbers)('is read without an argument, and set with one: %s', (name, initial, other) => {
    using sockets = new Sockets()
    const socket = sockets.open('push')
    expect([socket[name](), socket[name](undefined as never)]).toEqual([initial, initial])
    expect(socket[name](other)).toBe(true)
    expect(socket[name]()).toBe(other)
    expect(sockets.open('push', { [name]: other })[name]()).toBe(other)
  })

  test('linger can be set, and reads 0', () => {
    using sockets = new Sockets()
    const socket = sockets.open('push', { linger: 3000 })
    expect([socket.linger(), socket.linger(5000), socket.linger(-7), socket.linger()]).toEqual([0, true, true, 0])
  })

  test.each(['ipv6', 'tcpnodelay'] as const)('is a boolean, which setting returns: %s', (name) => {
    using sockets = new Sockets()
    const socket = sockets.open('push')
    expect([socket[name](), socket[name](true), socket[name](), socket[name](false), socket[name]()]).toEqual([
      false,
      true,
      true,
      false,
      false,
    ])
    expect(sockets.open('push', { [name]: true })[name]()).toBe(true)
  })

  test('of true and false takes undefined for false, and says what it could not do', () => {
    using sockets = new Sockets()
    const socket = sockets.open('pull', { tcpnodelay: true, ipv6: true, dontwait: undefined })
    expect([socket.tcpnodelay(undefined), socket.ipv6(undefined), socket.dontwait()]).toEqual([false, false, false])
    expect([socket.tcpnodelay(), socket.ipv6()]).toEqual([false, false])
    socket.close()
    const failed = 'Bad file descriptor: pull'
    expect(() => socket.tcpnodelay(true)).toThrow(`${failed} nodelay@activing\n`)
    expect(() => socket.tcpnodelay(false)).toThrow(`${failed} nodelay@deactiving\n`)
    expect(() => socket.tcpnodelay()).toThrow(`${failed} nodelay@getsockopt\n`)
    expect(() => socket.ipv6(false)).toThrow(`${failed} ipv6@deactiving\n`)
    expect(() => socket.wsopt()).toThrow(`${failed} wsopt@getsockopt\n`)
  })

  test('dontwait is a flag that nothing waits for', () => {
    using sockets = new Sockets()
    const push = sockets.open('push')
    expect([push.dontwait(), push.dontwait(true), push.nndontwait, push.dontwait(false), push.nndontwait]).toEqual([
      false,
      true,
      1,
      false,
      0,
    ])
    expect(sockets.open('pull', { dontwait: false }).dontwait()).toBe(false)
  })

  test('wsopt is the type of frames', () => {
    using sockets = new Sockets()
    const socket = sockets.open('pair')
    expect([socket.wsopt(), socket.wsopt('text'), socket.wsopt(), socket.wsopt('binary'), socket.wsopt()]).toEqual([
      'binary',
      true,
      'text',
      true,
      'binary',
    ])
    expect(() => socket.wsopt('x' as never)).toThrow(/^Invalid argument: pair wsopt@x\n$/)
  })

  test.each([
    ['sndbuf', -7],
    ['sndprio', 99],
    ['maxttl', 'x'],
    ['rcvmaxsize', -7],
  ] as const)('throws what is wrong, with its value: %s', (name, value) => {
    using sockets = new Sockets()
    const socket = sockets.open('pull')
    const message = `Invalid argument: pull${name}@${value}\n`
    expect(() => socket[name](value as number)).toThrow(expect.objectContaining({ message, code: 'EINVAL' }))
    expect(() => nano.socket('pull', { [name]: value })).toThrow(message)
  })

  test('of a closed socket is undefined, and cannot be set', () => {
    const socket = nano.socket('pull')
    socket.close()
    expect(socket.linger()).toBe(undefined)
    expect(() => socket.linger(4)).toThrow(/^Bad file descriptor: pulllinger@4\n$/)
    expect(() => socket.ipv6()).toThrow(/^Bad file descriptor: pull ipv6@getsockopt\n$/)
    expect(() => socket.ipv6(true)).toThrow(/^Bad file descriptor: pull ipv6@activing\n$/)
  })
})

describe('_bindings', () => {
  const { Socket, Bind, Connect, Send, Recv, Close, Shutdown, Getopt, Setopt, Errno, Err, Chan } = nano._bindings

  test('has the constants', () => {
    const { _bindings } = nano
    expect([_bindings.AF_SP, _bindings.NN_PAIR, _bindings.NN_SOCKADDR_MAX]).toEqual([1, 16, 128])
    expect(Object.values(_bindings).filter((value) => typeof value === 'number').length).toBeGreaterThanOrEqual(121)
  })

  test('has functions that return -1 when they fail', () => {
    const address = newAddress()
    const [left, right] = [Socket(1, 16), Socket(1, 16)]
    expect([Bind(left, address), Connect(right, address), Connect(right, 'foo')]).toEqual([1, 1, -1])
    expect([Errno(), Err()]).toEqual([22, 'Invalid argument'])
    expect([Send(left, 'abc', 0), Send(left, Buffer.from('de'), 1)]).toEqual([3, 2])
    expect([String(Recv(right, 0)), String(Recv(right, 1)), Recv(right, 1)]).toEqual(['abc', 'de', -1])
    expect(Err()).toBe('Resource temporarily unavailable')
    expect([Getopt(left, 0, 4), Setopt(left, 0, 4, 100), Getopt(left, 0, 4), Getopt(left, 0, 99)]).toEqual([
      -1,
      0,
      100,
      undefined,
    ])
    expect([Shutdown(left, 1), Shutdown(left, 77), Close(left), Close(left), Close(right)]).toEqual([0, -1, 0, -1, 0])
    const sub = Socket(1, 33)
    expect([Chan(sub, 1, 'x'), Chan(sub, 2, Buffer.from('x')), Close(sub), Socket(1, 5)]).toEqual([0, 0, 0, -1])
  })

  test('tells by Errno and Err why sockets have failed', () => {
    using sockets = new Sockets()
    const socket = sockets.open('pair')
    socket.on('error', () => {})
    const why = () => [Errno(), Err()]
    socket.bind('zmq://a')
    expect(why()).toEqual([nano._bindings.EPROTONOSUPPORT, 'Protocol not supported'])
    expect(() => socket.sndprio(99)).toThrow()
    expect(why()).toEqual([nano._bindings.EINVAL, 'Invalid argument'])
    socket.chan(['x'])
    expect(why()).toEqual([nano._bindings.ENOPROTOOPT, 'Protocol not available'])
    socket.close()
    expect([socket.sndprio(), ...why()]).toEqual([undefined, nano._bindings.EBADF, 'Bad file descriptor'])
  })

  test('has PollSocket, which calls back in each turn in which a socket is ready', async () => {
    const { PollSocket, PollStop } = nano._bindings
    using sockets = new Sockets()
    const [left, right] = [sockets.open('pair', { raw: true }), sockets.open('pair')]
    const address = newAddress()
    left.bind(address)
    const events: number[] = []
    const sender = PollSocket(left.binding, true, (event) => events.push(event))
    await turn()
    expect(events).toEqual([])
    right.connect(address)
    await until(() => events.length >= 2)
    PollStop(sender)
    const heard = events.splice(0)
    expect(heard).toEqual(heard.map(() => 1))
    await turn()
    expect(events).toEqual([])

    const received = await new Promise((resolve) => {
      let calls = 0
      const poll = PollSocket(left.binding, false, (event) => {
        if (++calls < 3) return
        PollStop(poll)
        resolve([event, String(Recv(left.binding)), Recv(left.binding)])
      })
      right.send('polled')
    })
    expect(received).toEqual([1, 'polled', -1])
    expect(() => PollSocket(left.binding, false, 5 as never)).toThrow(TypeError)
    PollStop(PollSocket(-1, false, () => {}))
  })
})
