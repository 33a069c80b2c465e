import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { Pair, Pull, Push, Rep, Req } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll, runProgram, transports, until } from './support.js'

describe.each(transports)('over $scheme', ({ address }) => {
  test('what was accepted is delivered, although its socket is closed', async () => {
    const push = new Push({ linger: 10_000 })
    await using pull = new Pull()
    connectAll(address(), pull, push)
    await push.send('first')
    let sent = 1
    while (push.trySend(Buffer.alloc(50_000, 'x')) && sent < 200) sent++
    const closed = push.close()
    for (let i = 0; i < sent; i++) await pull.receive()
    await closed
    expect(pull.tryReceive()).toBeUndefined()
  })
})

test('close returns the same promise again, and may be called while it closes', async () => {
  const pair = new Pair()
  const closed = pair.close()
  expect(pair.close()).toBe(closed)
  await closed
  expect(pair.close()).toBe(closed)
})

test('a wrong linger is reported by the promise, and leaves the socket open', async () => {
  await using pair = new Pair()
  const closed = pair.close({ linger: 'long' as never })
  await expect(closed).rejects.toMatchObject({ code: 'EINVAL' })
  expect(pair.closed).toBe(false)
  expect(pair.linger).toBe(1000)
})

test('linger ends: a peer that never reads does not keep a socket', async () => {
  const server = createServer((socket) => {
    socket.write(Buffer.from('0053500000510000', 'hex'))
    socket.pause()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const push = new Push()
  push.connect(`tcp://127.0.0.1:${(server.address() as { port: number }).port}`)
  await push.send('x')
  while (push.trySend(Buffer.alloc(100_000)));
  await push.close({ linger: 20 })
  server.close()
})

test('a socket can be disposed of by its scope', async () => {
  let outer: Pair
  {
    await using pair = new Pair()
    outer = pair
  }
  expect(outer.closed).toBe(true)
})

test('a thousand sockets live side by side', async () => {
  const pulls = Array.from({ length: 500 }, () => new Pull())
  const pushes = Array.from({ length: 500 }, () => new Push())
  pulls.forEach((pull, i) => {
    pushes[i]!.connect(pull.bind(i % 2 === 0 ? 'tcp://127.0.0.1:0' : `inproc://many-${i}`).address)
  })
  await Promise.all(pushes.map((push, i) => push.send(`${i}`)))
  const received = await Promise.all(pulls.map((pull) => pull.receive()))
  expect(received.map(String)).toEqual(pushes.map((_, i) => `${i}`))
  await Promise.all([...pulls, ...pushes].map((socket) => socket.close()))
})

describe('a process', () => {
  const preamble = `const { Pull, Push, Pair, Req, Rep } = require('nanomsg-native');`

  test('ends when nothing is awaited, although sockets are open', async () => {
    const { exitCode, stdout } = await runProgram(`${preamble}
      const pull = new Pull(); pull.bind('tcp://127.0.0.1:0')
      new Push().connect('tcp://127.0.0.1:1')
      console.log('done')`)
    expect([exitCode, stdout]).toEqual([0, 'done\n'])
  })

  test('goes on while something is awaited', async () => {
    const { exitCode, stdout } = await runProgram(`${preamble}
      const pull = new Pull({ receiveTimeout: 100 }); pull.bind('tcp://127.0.0.1:0')
      pull.receive().catch((error) => console.log(error.code))`)
    expect([exitCode, stdout]).toEqual([0, 'ETIMEDOUT\n'])
  })

  test('does not go on for a socket that is unreferenced, and does again for one that is', async () => {
    const text = (call: string) => `${preamble}
      const pull = new Pull(); pull.bind('inproc://x'); pull${call}
      pull.receive().then((message) => console.log(String(message)))
      const push = new Push().unref(); push.connect('inproc://x')
      setTimeout(() => push.send('still here'), 50).unref()`
    expect((await runProgram(text('.unref()'))).stdout).toBe('')
    expect((await runProgram(text('.unref().ref()'))).stdout).toBe('still here\n')
  })

  test.each(['tcp', 'ipc'])('that ends delivers what it has sent over %s', async (scheme) => {
    await using pull = new Pull()
    const { address } = pull.bind(transports.find((each) => each.scheme === scheme)!.address())
    const program = runProgram(`${preamble}
      const push = new Push({ linger: 10000 }); push.connect('${address}')
      push.send('first').then(() => { for (let i = 0; i < 100; i++) push.send(Buffer.alloc(20000, 'z')) })`)
    for (let i = 0; i <= 100; i++) await pull.receive()
    expect((await program).exitCode).toBe(0)
  })

  test('that calls process.exit() delivers what it has sent', async () => {
    await using pull = new Pull()
    const { address } = pull.bind('tcp://127.0.0.1:0')
    const program = runProgram(`${preamble}
      const push = new Push(); push.connect('${address}')
      push.send('first').then(() => { for (let i = 0; i < 100; i++) push.send('more'); process.exit(3) })`)
    for (let i = 0; i <= 100; i++) await pull.receive()
    expect((await program).exitCode).toBe(3)
  })

  test('that is killed takes nothing with it but its own', async () => {
    await using rep = new Rep()
    const { address } = rep.bind('tcp://127.0.0.1:0')
    const child = spawn(process.execPath, [
      '-e',
      `${preamble.replace('nanomsg-native', `${__dirname}/../../dist/index.js`)}
      const req = new Req(); req.connect('${address}')
      setInterval(() => {}, 1000); req.send('dying').then(() => req.receive())`,
    ])
    expect(String(await rep.receive())).toBe('dying')
    child.kill('SIGKILL')
    await new Promise((resolve) => child.on('exit', resolve))
    await rep.send('to nobody')
    await using req = new Req()
    req.connect(address)
    await req.send('alive')
    expect(String(await rep.receive())).toBe('alive')
  })
})

test('memory does not grow with the messages that have passed', async () => {
  const { exitCode, stdout, stderr } = await runProgram(
    `const { Pull, Push } = require('nanomsg-native');
    (async () => {
      const pull = new Pull(), push = new Push()
      push.connect(pull.bind('tcp://127.0.0.1:0').address)
      const run = async (count, body) => {
        void (async () => { for (let i = 0; i < count; i++) await push.send(body) })()
        let seen = 0
        for await (const messages of pull.batches()) if ((seen += messages.length) === count) break
      }
      const used = () => { gc(); gc(); return process.memoryUsage().rss / 2 ** 20 }
      await run(300000, Buffer.alloc(100)); await run(2000, Buffer.alloc(100000)); await run(300000, Buffer.alloc(100))
      const before = used()
      await run(1000000, Buffer.alloc(100)); await run(5000, Buffer.alloc(100000))
      const grown = used() - before
      console.log(grown < 40 ? 'bounded' : 'grew by ' + grown + ' MiB')
      process.exit()
    })()`,
    { args: ['--expose-gc'] },
  )
  expect([exitCode, stdout, stderr]).toEqual([0, 'bounded\n', ''])
})

test('messages that are kept stay as they are', async () => {
  await using push = new Push()
  await using pull = new Pull()
  connectAll('tcp://127.0.0.1:0', pull, push)
  void (async () => {
    for (let i = 0; i < 50_000; i++) await push.send(`message ${i}`.padEnd(100))
  })()
  const kept: Buffer[] = []
  for await (const message of pull) {
    kept.push(message)
    if (kept.length === 50_000) break
  }
  await until(() => true)
  kept.forEach((message, i) => {
    if (message.toString().trimEnd() !== `message ${i}`) throw new Error(`message ${i} reads ${message}`)
  })
})

test('a peer that comes back is spoken to again', async () => {
  await using req = new Req({ reconnectInterval: 5, resendInterval: 100_000 })
  const first = new Rep()
  const { address } = first.bind('tcp://127.0.0.1:0')
  req.connect(address)
  await req.send('one')
  await first.receive()
  await first.close()
  await using second = new Rep()
  second.bind(address)
  expect(String(await second.receive())).toBe('one')
  await second.send('answer')
  expect(String(await req.receive())).toBe('answer')
})
