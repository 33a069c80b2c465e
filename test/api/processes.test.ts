import { spawn } from 'node:child_process'
import { Pull, Push, Rep, Req } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { runProgram, transports } from './support.js'

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

  test('that fails by an uncaught error delivers what it has sent', async () => {
    await using pull = new Pull()
    const { address } = pull.bind('tcp://127.0.0.1:0')
    const program = runProgram(`${preamble}
      const push = new Push(); push.connect('${address}')
      push.send('last words').then(() => { push.send('and more'); throw new Error('on purpose') })`)
    expect(String(await pull.receive())).toBe('last words')
    expect(String(await pull.receive())).toBe('and more')
    const { exitCode, stderr } = await program
    expect(exitCode).toBe(1)
    expect(stderr).toContain('on purpose')
  })

  test('that has set linger to 0 ends at once, whether or not its messages are taken', async () => {
    await using pull = new Pull()
    const { address } = pull.bind('tcp://127.0.0.1:0')
    const { exitCode, stdout } = await runProgram(`${preamble}
      const push = new Push({ linger: 0 }); push.connect('${address}')
      push.send('x').then(() => {
        while (push.trySend(Buffer.alloc(100000)));
        push.close().then(() => console.log('closed'))
      })`)
    expect([exitCode, stdout]).toEqual([0, 'closed\n'])
  })

  test('goes on until a socket is closed, when a call waits for that', async () => {
    await using pull = new Pull()
    const { address } = pull.bind('tcp://127.0.0.1:0')
    const program = runProgram(`${preamble}
      const push = new Push({ linger: -1 }); push.connect('${address}')
      push.send('x').then(async () => {
        for (let i = 0; i < 50; i++) await push.send(Buffer.alloc(100000))
        await push.close()
        console.log('all delivered')
      })`)
    for (let i = 0; i <= 50; i++) await pull.receive()
    expect(await program).toMatchObject({ exitCode: 0, stdout: 'all delivered\n' })
  })

  test('goes on while it iterates, until the loop is left', async () => {
    await using push = new Push()
    const { address } = push.bind('tcp://127.0.0.1:0')
    const program = runProgram(`${preamble}
      const pull = new Pull(); pull.connect('${address}')
      ;(async () => { for await (const message of pull) if (String(message) === 'leave') break })()
        .then(() => console.log('left'))`)
    for (let i = 0; i < 10; i++) await push.send('stay')
    await push.send('leave')
    expect(await program).toMatchObject({ exitCode: 0, stdout: 'left\n' })
  })

  test('counts what waits, however it ends: by a message, a timeout, a signal, an unref() meanwhile', async () => {
    const { exitCode, stdout } = await runProgram(`${preamble}
      const left = new Pair(), right = new Pair()
      right.connect(left.bind('inproc://counts').address)
      ;(async () => {
        for (let i = 0; i < 20; i++) {
          const received = right.receive()
          if (i % 3 === 0) right.unref()
          await left.send('x'); await received
          if (i % 3 === 0) right.ref()
          await right.receive({ timeout: 1 }).catch(() => {})
          await right.receive({ signal: AbortSignal.abort() }).catch(() => {})
          const controller = new AbortController()
          const aborted = right.receive({ signal: controller.signal }).catch(() => {})
          controller.abort(); await aborted
        }
        console.log('ends')
      })()`)
    expect([exitCode, stdout]).toEqual([0, 'ends\n'])
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
