import { EventEmitter } from 'node:events'
import * as nano from 'nanomsg-native/compat'
import { describe, expect, test } from 'vitest'
import { runProgram } from '../api/support.js'
import { errorOf, newAddress, Sockets, text } from './support.js'

const raw = { raw: true }

describe('a device', () => {
  test('forwards both ways, until a socket is closed', async () => {
    using sockets = new Sockets()
    const [front, back] = [sockets.open('rep', raw), sockets.open('req', raw)]
    const [frontAddress, backAddress] = [newAddress(), newAddress()]
    front.bind(frontAddress)
    back.bind(backAddress)
    const device = nano.device(front, back)
    expect(device).toBeInstanceOf(EventEmitter)
    expect(device).toMatchObject({ sock1: front, sock2: back, s1: front.binding, s2: back.binding })

    const [req, rep] = [sockets.open('req'), sockets.open('rep')]
    req.connect(frontAddress)
    rep.connect(backAddress)
    rep.on('data', (request) => rep.send(`${request}, world`))
    req.send('hello')
    expect(await text(req)).toBe('hello, world')
    const ended = errorOf(device)
    back.close()
    expect(await ended).toMatchObject({ message: 'lib err: 9\nBad file descriptor', code: 'EBADF' })
  })

  test('of one socket sends back to the others', async () => {
    using sockets = new Sockets()
    const loop = sockets.open('bus', raw)
    const address = newAddress()
    loop.bind(address)
    const device = nano.createDevice(loop)
    expect([device.sock2, device.s2]).toEqual([undefined, -1])
    const [left, right] = [sockets.open('bus'), sockets.open('bus')]
    left.connect(address)
    right.connect(address)
    left.send('round')
    expect(await text(right)).toBe('round')
    const ended = errorOf(device)
    loop.close()
    await ended
  })

  test('needs sockets, and such that go together', async () => {
    using sockets = new Sockets()
    expect(() => nano.device(undefined as never)).toThrow(/^expected at least one Socket argument$/)
    expect(() => nano.device({} as never)).toThrow(/^expected at least one Socket argument$/)
    const cooked = nano.device(sockets.open('bus'), sockets.open('pair'))
    expect((await errorOf(cooked)).message).toBe('lib err: 22\nInvalid argument')
  })

  test('without a listener ends the process by its error', async () => {
    const { exitCode, stderr } = await runProgram(`
      const nano = require('nanomsg-native/compat')
      nano.device(nano.socket('bus'))`)
    expect(exitCode).toBe(1)
    expect(stderr).toContain('lib err: 22')
  })
})

describe('a process', () => {
  const start = `
    const nano = require('nanomsg-native/compat')
    process.on('exit', () => console.log('exit'))
    setTimeout(() => { console.log('alive'); process.exit() }, 300).unref();`

  test.each([
    ['that receives', "nano.socket('pull')", 'alive'],
    ['with something to send', "nano.socket('push').send('x')", 'alive'],
    ['that has sent', "const p = nano.socket('pub'); p.bind('inproc://p'); p.send('x')", 'exit'],
    ['that may send', "nano.socket('push')", 'exit'],
    ['that has closed', "nano.socket('pull').close()", 'exit'],
    ['with a survey', "const s = nano.socket('surveyor'); s.send('x'); s.on('error', console.log)", 'alive'],
  ])('%s goes on or ends', async (_, text, expected) => {
    const { exitCode, stdout } = await runProgram(start + text)
    expect([exitCode, stdout.split('\n')[0]]).toEqual([0, expected])
  })

  test('ends when its survey is over', async () => {
    const { exitCode, stdout } = await runProgram(`
      const nano = require('nanomsg-native/compat')
      const { nn_setsockopt, NN_SURVEYOR, NN_SURVEYOR_DEADLINE } = require('nanomsg-native/nn')
      const surveyor = nano.socket('surveyor')
      nn_setsockopt(surveyor.binding, NN_SURVEYOR, NN_SURVEYOR_DEADLINE, 20)
      surveyor.on('error', console.log)
      surveyor.send('anybody?')`)
    expect([exitCode, stdout]).toEqual([0, ''])
  })

  test('goes on when term() closes its sockets, and opens no others', async () => {
    const { exitCode, stdout, stderr } = await runProgram(`
      const nano = require('nanomsg-native/compat')
      const pull = nano.socket('pull'), push = nano.socket('push')
      for (const socket of [pull, push]) socket.on('error', console.log)
      pull.bind('inproc://term')
      pull.on('close', () => console.log('close'))
      nano.term()
      setTimeout(() => {
        try { nano.socket('pull') } catch (error) { console.log(error.message) }
        console.log(pull.close(), push.send('x'), push.close())
      }, 20)`)
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout).toBe('close\nNanomsg library was terminated\n0 1 -1\n')
  })

  test('delivers what it has sent before it ends', async () => {
    using sockets = new Sockets()
    const pull = sockets.open('pull')
    const { nn_endpoint_address } = await import('nanomsg-native/nn')
    const address = nn_endpoint_address(pull.binding, pull.bind('tcp://127.0.0.1:0')!)
    const ending = runProgram(`
      const push = require('nanomsg-native/compat').socket('push')
      push.connect('${address}')
      for (let i = 0; i < 1000; i++) push.send('message ' + i)
      push.flush()
      push.close()`)
    let count = 0
    await new Promise<void>((resolve) => pull.on('data', () => ++count === 1000 && resolve()))
    expect((await ending).exitCode).toBe(0)
  })
})
