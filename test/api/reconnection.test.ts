import { createServer, type Server, type Socket as TcpSocket } from 'node:net'
import { Pair, Pub, Pull, Push, Rep, Req, Sub } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll, transports, turn } from './support.js'

/** An address of this machine that no other test uses: sockets of theirs might be calling a port that was theirs. */
const host = `127.${(process.pid >> 8) & 127}.${process.pid & 255}.1`

/** A server of plain TCP, with what it does with each connection. */
async function serve(onConnection: (socket: TcpSocket) => void): Promise<{ server: Server; address: string }> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    onConnection(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const { port } = server.address() as { port: number }
  return { server, address: `tcp://${host}:${port}` }
}

describe.each(transports)('over $scheme', ({ address }) => {
  test('a peer that is bound again is found again, ten times', async () => {
    await using push = new Push({ reconnectInterval: 2 })
    const first = new Pull()
    const endpoint = first.bind(address())
    push.connect(endpoint.address)
    await push.send('begin')
    expect(String(await first.receive())).toBe('begin')
    await first.close()
    for (let i = 0; i < 10; i++) {
      await using pull = new Pull()
      pull.bind(endpoint.address)
      const received = pull.receive()
      let isReceived = false
      void received.then(() => {
        isReceived = true
      })
      // What is sent before the end of the last one is noticed may be lost.
      while (!isReceived) {
        push.trySend(`${i}`)
        await turn()
      }
      await received
    }
  })

  test('a request is sent to the peer that comes back', async () => {
    await using req = new Req({ reconnectInterval: 2 })
    const before = new Rep()
    const endpoint = before.bind(address())
    req.connect(endpoint.address)
    await req.send('important')
    expect(String(await before.receive())).toBe('important')
    await before.close()
    await using after = new Rep()
    after.bind(endpoint.address)
    expect(String(await after.receive())).toBe('important')
    await after.send('done')
    expect(String(await req.receive())).toBe('done')
  })

  test('a subscription holds for the Pub that comes back', async () => {
    await using sub = new Sub({ reconnectInterval: 2 }).subscribe('a')
    const first = new Pub()
    const endpoint = first.bind(address())
    sub.connect(endpoint.address)
    await hear(first, sub, 'a1')
    await first.close()
    await using second = new Pub()
    second.bind(endpoint.address)
    await hear(second, sub, 'a2')
  })

  test('an endpoint that is closed does not come back', async () => {
    await using push = new Push({ reconnectInterval: 2 })
    await using pull = new Pull()
    const bound = pull.bind(address())
    const connected = push.connect(bound.address)
    await push.send('x')
    expect(String(await pull.receive())).toBe('x')
    connected.close()
    await expect(push.send('y', { timeout: 30 })).rejects.toMatchObject({ code: 'ETIMEDOUT' })
    expect(pull.tryReceive()).toBeUndefined()
  })
})

/** Publishes until it is heard. */
async function hear(pub: Pub, sub: Sub, text: string): Promise<void> {
  let heard: Buffer | undefined
  while (String(heard) !== text) {
    await pub.send(text)
    await turn()
    heard = sub.tryReceive()
  }
}

describe('a peer that hangs up', () => {
  test('is called again, and sent what waits', async () => {
    let calls = 0
    const handshake = Buffer.from('0053500000510000', 'hex')
    let take: (bytes: Buffer) => void
    const taken = new Promise<Buffer>((resolve) => {
      take = resolve
    })
    const { server, address } = await serve((socket) => {
      calls++
      if (calls < 5) socket.destroy()
      else socket.on('data', take)
      socket.write(handshake)
    })
    await using push = new Push({ reconnectInterval: 2 })
    push.connect(address)
    const sent = push.send('at last')
    expect((await taken).subarray(0, 8).toString('hex')).toBe('0053500000500000')
    await sent
    expect(calls).toBe(5)
    server.close()
  })

  test('is called less and less often where that is asked for', async () => {
    const times: number[] = []
    let finish: () => void
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    const { server, address } = await serve((socket) => {
      socket.destroy()
      if (times.push(performance.now()) === 12) finish()
    })
    const push = new Push({ reconnectInterval: 4, reconnectIntervalMax: 1000 })
    push.connect(address)
    await finished
    await push.close()
    server.close()
    // Each pause is drawn from all that it may have grown to: together they are short once in a hundred thousand times.
    expect(times.at(-1)! - times[0]!).toBeGreaterThan(100)
  })

  test('does not disturb others', async () => {
    const { server, address } = await serve((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await using left = new Pair({ reconnectInterval: 1 })
    await using right = new Pair()
    left.connect(address)
    connectAll('tcp://127.0.0.1:0', left, right)
    for (let i = 0; i < 200; i++) {
      await left.send(`${i}`)
      expect(String(await right.receive())).toBe(`${i}`)
      await turn()
    }
    server.close()
  })
})

test('a peer of another protocol is not spoken to, and its place is free for the right one', async () => {
  await using pull = new Pull()
  const { address } = pull.bind('tcp://127.0.0.1:0')
  await using wrong = new Pair({ reconnectInterval: 2 })
  wrong.connect(address)
  await expect(wrong.send('x', { timeout: 30 })).rejects.toMatchObject({ code: 'ETIMEDOUT' })
  await using push = new Push()
  push.connect(address)
  await push.send('y')
  expect(String(await pull.receive())).toBe('y')
})
