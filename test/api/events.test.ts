import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import {
  Bus,
  type ConnectEvent,
  type DisconnectEvent,
  Pair,
  Pull,
  Push,
  Rep,
  Req,
  type Socket,
  type SocketEvent,
} from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll, failureOf, runProgram, transports, turn, until } from './support.js'

/** The next event of this type, whatever else happens meanwhile. */
async function next<Type extends SocketEvent['type']>(
  events: AsyncIterator<SocketEvent>,
  type: Type,
): Promise<SocketEvent & { type: Type }> {
  for (;;) {
    const { value, done } = await events.next()
    if (done) throw new Error(`the events have ended before ${type}`)
    if (value.type === type) return value as SocketEvent & { type: Type }
  }
}

describe.each(transports)('over $scheme', ({ scheme, address }) => {
  test('both sides are told whom they are connected with, and when that ends', async () => {
    await using rep = new Rep()
    await using req = new Req()
    const ofRep = rep.events()
    const ofReq = req.events()
    const bound = rep.bind(address())
    const endpoint = req.connect(bound.address)

    const accepted = await next(ofRep, 'connect')
    const connected = await next(ofReq, 'connect')
    expect(accepted).toMatchObject({ address: bound.address, protocol: 'req', bound: true, lost: 0 })
    expect(connected).toMatchObject({ address: bound.address, protocol: 'rep', bound: false, lost: 0 })
    expect(accepted.remoteAddress).toBe(connected.localAddress)
    expect(accepted.localAddress).toBe(connected.remoteAddress)
    expect(accepted.localAddress).toMatch(new RegExp(`^${scheme}://`))

    endpoint.close()
    const { type: _, ...peer } = connected
    expect(await next(ofReq, 'disconnect')).toEqual({ ...peer, type: 'disconnect', reason: 'closed', error: undefined })
    const { type: __, ...other } = accepted
    expect(await next(ofRep, 'disconnect')).toEqual({ ...other, type: 'disconnect', reason: 'left', error: undefined })
  })

  test('a second peer of a Pair is rejected by name', async () => {
    await using pair = new Pair()
    await using first = new Pair()
    await using second = new Pair()
    const events = pair.events()
    const ofSecond = second.events()
    const endpoint = pair.bind(address())
    first.connect(endpoint.address)
    await next(events, 'connect')
    second.connect(endpoint.address)
    const { error, address: where, remoteAddress } = await next(events, 'reject')
    expect(error.code).toBe('EBUSY')
    expect(error.message).toContain('A Pair has one peer at a time')
    expect(where).toBe(endpoint.address)
    expect(remoteAddress).toMatch(new RegExp(`^${scheme}://`))
    expect((await next(ofSecond, 'reject')).error.code).toMatch(/ECONNRESET|ECONNREFUSED/)
  })
})

describe('events', () => {
  test('tell whose process a local peer is', async () => {
    const { uid, gid } = userInfo()
    await using rep = new Rep()
    const events = rep.events()
    const { address } = rep.bind(`ipc://${join(tmpdir(), `nn-credentials-${process.pid}`)}`)
    const child = runProgram(`
      const { Req } = require('nanomsg-native')
      const req = new Req()
      req.connect(${JSON.stringify(address)})
      req.request(String(process.pid)).then(() => req.close())`)
    const request = await rep.receive()
    const { value: connected } = await events.next()
    expect(connected).toMatchObject({ type: 'connect', credentials: { pid: Number(request), uid, gid } })
    await rep.send('known')
    await child
    const { value: disconnected } = await events.next()
    expect(disconnected).toMatchObject({ type: 'disconnect', credentials: connected.credentials })
  })

  test('tell of types that do not go together', async () => {
    await using pull = new Pull()
    await using req = new Req()
    const events = pull.events()
    const seen = req.events()
    connectAll('inproc://wrong', pull, req)
    expect(await next(seen, 'reject')).toMatchObject({ protocol: 'pull', error: { code: 'EPROTOTYPE' } })

    const { address } = pull.bind('tcp://127.0.0.1:0')
    const peer = connectTcp(Number(address.split(':')[2]), '127.0.0.1').on('error', () => {})
    peer.write(Buffer.from([0, 0x53, 0x50, 0, 0, 48, 0, 0]))
    expect(await next(events, 'reject')).toMatchObject({ address, protocol: 'req', error: { code: 'EPROTOTYPE' } })
    peer.destroy()
  })

  test('tell why a peer was given up', async () => {
    await using pull = new Pull({ maxMessageSize: 10 })
    await using push = new Push()
    const events = pull.events()
    connectAll('tcp://127.0.0.1:0', pull, push)
    await push.send('more than ten bytes')
    const { reason, error } = await next(events, 'disconnect')
    expect(reason).toBe('failed')
    expect(error!.code).toBe('EMSGSIZE')
    expect(error!.message).toContain('more than maxMessageSize allows')
  })

  test('tell of attempts that fail, with where to', async () => {
    await using gone = new Pull()
    const { address } = gone.bind('tcp://127.0.0.1:0')
    await gone.close()
    await using push = new Push({ reconnectInterval: 5 })
    const events = push.events()
    push.connect(address)
    for (let i = 0; i < 3; i++) {
      const event = await next(events, 'failure')
      expect(event).toMatchObject({ address, remoteAddress: address, bound: false, error: { code: 'ECONNREFUSED' } })
      expect(event.error.syscall).toBe('connect')
      expect(event).not.toHaveProperty('localAddress')
    }
  })

  test('end with the socket, after a disconnect for each peer', async () => {
    const bus = new Bus()
    await using one = new Bus()
    await using other = new Bus()
    const events = bus.events()
    connectAll('tcp://127.0.0.1:0', bus, one, other)
    const pipes = [(await next(events, 'connect')).pipe, (await next(events, 'connect')).pipe]
    const closed = bus.close()
    const rest: SocketEvent[] = []
    for await (const event of events) rest.push(event)
    expect(rest).toMatchObject(pipes.map((pipe) => ({ type: 'disconnect', pipe, reason: 'closed' })))
    await closed
    expect(await events.next()).toEqual({ done: true, value: undefined })
    expect((await failureOf(() => bus.events())).code).toBe('EBADF')
  })

  test('tell a listener that comes after the connection of its end, when its own socket is closed', async () => {
    const pull = new Pull()
    await using push = new Push()
    connectAll('tcp://127.0.0.1:0', pull, push)
    await Promise.all([pull.ready(), push.ready()])
    const seen: SocketEvent[] = []
    pull.on('connect', (event) => seen.push(event)).on('disconnect', (event) => seen.push(event))
    await pull.close()
    expect(seen).toMatchObject([{ type: 'disconnect', reason: 'closed', protocol: 'push', lost: 0 }])
  })

  test('that wait when the socket is closed end, too', async () => {
    const pull = new Pull()
    const waiting = pull.events().next()
    await pull.close()
    expect(await waiting).toEqual({ done: true, value: undefined })
  })

  test('end with the reason of a signal', async () => {
    await using pull = new Pull()
    const controller = new AbortController()
    const events = pull.events({ signal: controller.signal })
    const waiting = events.next()
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await expect(events.next()).rejects.toThrow('enough')
    await expect(pull.events({ signal: AbortSignal.abort(new Error('never')) }).next()).rejects.toThrow('never')
    expect((await failureOf(() => pull.events({ signal: 'no' as never }))).code).toBe('EINVAL')
  })

  test('come to all iterations, each at its own pace', async () => {
    await using pull = new Pull()
    await using push = new Push()
    const eager = pull.events()
    const late = pull.events()
    connectAll('inproc://pace', pull, push)
    const event = await next(eager, 'connect')
    await eager.return!()
    await push.close()
    await until(() => pull.stats().currentConnections === 0)
    expect(await next(late, 'connect')).toEqual(event)
    expect((await next(late, 'disconnect')).pipe).toBe(event.pipe)
    expect(await eager.next()).toEqual({ done: true, value: undefined })
  })

  test('that are not taken are dropped, oldest first, and counted', async () => {
    await using bus = new Bus()
    await using peer = new Bus()
    const events = bus.events()
    bus.bind('inproc://lost')
    for (let i = 0; i < 520; i++) {
      peer.connect('inproc://lost').close()
      if (i % 100 === 0) await turn() // some are dropped here, and some in the engine
    }
    await turn()
    const first = (await events.next()).value!
    expect(first.lost).toBe(1040 - 1024)
    expect((await events.next()).value!.lost).toBe(0)
  })
})

describe('listeners', () => {
  test('hear the same', async () => {
    await using pull = new Pull()
    const push = new Push()
    const heard: SocketEvent[] = []
    const events = pull.events()
    pull.on('connect', (event: ConnectEvent) => heard.push(event))
    pull.on('disconnect', (event: DisconnectEvent) => heard.push(event))
    connectAll('tcp://127.0.0.1:0', pull, push)
    const connected = await next(events, 'connect')
    await push.close()
    expect(heard).toEqual([connected, await next(events, 'disconnect')])
  })

  test('may come once, by whichever way, and go', async () => {
    await using bus = new Bus()
    let count = 0
    const listener = () => count++
    bus.once('connect', listener).prependOnceListener('connect', listener).addListener('connect', listener)
    bus.bind('inproc://once')
    const peer = async () => {
      await using other = new Bus()
      const events = other.events()
      other.connect('inproc://once')
      await next(events, 'connect')
      await turn()
    }
    await peer()
    expect(count).toBe(3)
    await peer()
    expect(count).toBe(4)
    bus.off('connect', listener)
    await peer()
    expect(count).toBe(4)
    bus.on('connect', listener)
    await peer()
    expect(count).toBe(5)
    bus.removeAllListeners()
    await peer()
    expect(count).toBe(5)
  })

  test('go with once() of node:events', async () => {
    await using pull = new Pull()
    await using push = new Push()
    connectAll('tcp://127.0.0.1:0', pull, push)
    const [event] = await once(pull, 'connect')
    expect(event).toMatchObject({ type: 'connect', protocol: 'push' })
  })

  test('may close the socket', async () => {
    await using push = new Push()
    const pull = new Pull()
    const heard: string[] = []
    pull.on('connect', ({ type }) => {
      heard.push(type)
      void pull.close()
    })
    pull.on('disconnect', ({ type }) => heard.push(type))
    connectAll('inproc://closes', pull, push)
    await until(() => pull.closed)
    expect(heard).toEqual(['connect', 'disconnect'])
    await pull.close()
  })
})

describe('a process', () => {
  const preamble = `const { Pull, Push, Pair, Req } = require('nanomsg-native'); const dc = require('node:diagnostics_channel')
    const log = (...args) => console.log(...args);`

  test('does not go on for listeners, nor for iterations that are not awaited', async () => {
    const { exitCode, stdout } = await runProgram(`${preamble}
      const pull = new Pull(); pull.bind('tcp://127.0.0.1:0')
      pull.on('connect', log); pull.on('failure', log); pull.events()
      log('done')`)
    expect([exitCode, stdout]).toEqual([0, 'done\n'])
  })

  test('goes on for an event that is awaited, unless the socket is unreferenced', async () => {
    const text = (call: string) => `${preamble}
      const pull = new Pull(); pull.bind('inproc://x'); pull${call}
      pull.events().next().then(({ value }) => log(value.type))
      setTimeout(() => new Push().connect('inproc://x'), 20).unref()`
    expect((await runProgram(text(''))).stdout).toBe('connect\n')
    expect((await runProgram(text('.unref()'))).stdout).toBe('')
  })

  test('survives every event without a listener', async () => {
    const { exitCode, stdout, stderr } = await runProgram(`${preamble}
      const push = new Push({ reconnectInterval: 1 }); push.on('connect', log)
      push.connect('tcp://127.0.0.1:1')
      const pull = new Pull(); new Req().connect(pull.bind('tcp://127.0.0.1:0').address)
      ;(async () => {
        let failures = 0
        for await (const { type } of push.events()) if (type === 'failure' && ++failures === 3) break
        log('alive')
      })()`)
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: 'alive\n', stderr: '' })
  })

  test('hears of an exception in a listener, and other listeners of their events', async () => {
    const { exitCode, stdout } = await runProgram(`${preamble}
      process.on('uncaughtException', (error) => log(error.message))
      const pull = new Pull(); const push = new Push()
      pull.on('connect', () => { throw new Error('on purpose') })
      push.on('connect', () => log('other'))
      push.connect(pull.bind('inproc://throws').address)
      pull.receive().then((message) => log(String(message)))
      push.send('message')`)
    expect(exitCode).toBe(0)
    expect(stdout.trim().split('\n').sort()).toEqual(['message', 'on purpose', 'other'])
  })

  test('finds everything in channels of node:diagnostics_channel', async () => {
    const { stdout } = await runProgram(`${preamble}
      const early = new Pull()
      for (const name of ['socket', 'connect', 'disconnect', 'reject', 'failure', 'slow'])
        dc.subscribe('nanomsg:' + name, ({ socket, event }, channel) =>
          log(channel, socket.constructor.name, event?.type, event?.reason ?? event?.error?.code))
      ;(async () => {
        early.bind('inproc://a')
        new Push().connect('inproc://a')
        const pair = new Pair(); const events = pair.events()
        pair.connect('ipc:///nowhere/at/all')
        await events.next()
        await pair.close()
        process.exit()
      })()`)
    const lines = new Set(stdout.trim().split('\n')) // attempts go on failing
    expect([...lines]).toEqual([
      'nanomsg:socket Push undefined undefined',
      'nanomsg:socket Pair undefined undefined',
      'nanomsg:connect Push connect undefined',
      'nanomsg:failure Pair failure ENOENT',
    ])
  })

  test('may leave the channels again', async () => {
    const { stdout } = await runProgram(`${preamble}
      const onConnect = () => log('connect')
      dc.subscribe('nanomsg:connect', onConnect)
      const pull = new Pull(); pull.bind('inproc://a')
      const push = new Push()
      dc.unsubscribe('nanomsg:connect', onConnect)
      push.connect('inproc://a')
      push.send('x'); pull.receive().then((message) => log(String(message)))`)
    expect(stdout).toBe('x\n')
  })
})

test('events have types', () => {
  const listen = (socket: Socket) => {
    socket.on('connect', (event) => event.pipe + event.protocol.length)
    socket.on('reject', (event) => event.error.code)
    // @ts-expect-error A rejected peer has no pipe.
    socket.on('reject', (event) => event.pipe)
  }
  expect(listen).toBeTypeOf('function')
})
