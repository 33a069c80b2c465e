import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { Bus, Pair, Pub, Pull, Push, Rep, Req, Respondent, type Socket, Sub, Surveyor } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { Device } from '../../lib/device.js'
import { failureOf, transports } from './support.js'

/** Connects a socket to each side of a device. */
function connectTo(device: Device, address: () => string, first: Socket, second: Socket): void {
  first.connect(device.first.bind(address()))
  second.connect(device.second.bind(address()))
}

/** Says it again until it is heard: the other side of a PUB, BUS or SURVEYOR may not be there yet. */
async function sayUntil(send: () => Promise<void>, heard: Promise<Buffer>): Promise<Buffer> {
  const repetition = setInterval(send, 10)
  try {
    return await heard
  } finally {
    clearInterval(repetition)
  }
}

describe.each(transports.filter(({ scheme }) => scheme !== 'inproc'))('a device over $scheme', ({ address }) => {
  test('brings requests to a REP, and replies back to the asker', async () => {
    await using device = new Device('reqrep')
    await using rep = new Rep()
    await using first = new Req()
    await using second = new Req()
    connectTo(device, address, first, rep)
    second.connect(device.first.bind(address()))
    const answering = (async () => {
      for await (const question of rep) await rep.send(`re: ${question}`)
    })()
    await first.send('a')
    await second.send('b')
    expect(String(await first.receive())).toBe('re: a')
    expect(String(await second.receive())).toBe('re: b')
    await rep.close()
    await answering
  })

  test('passes on what is pushed, in order', async () => {
    await using device = new Device('pipeline')
    await using push = new Push()
    await using pull = new Pull()
    connectTo(device, address, push, pull)
    const count = 5000
    for (let i = 0; i < count; i++) await push.send(`work ${i}`)
    for (let i = 0; i < count; i++) expect(String(await pull.receive())).toBe(`work ${i}`)
  })

  test('has delivered what it has passed on when it has closed', async () => {
    const device = new Device('pipeline')
    await using push = new Push()
    await using pull = new Pull()
    connectTo(device, address, push, pull)
    const body = Buffer.alloc(300_000)
    await push.send(body)
    await pull.receive()
    // No peer receives: all on the way are full, and the device holds what the kernel does not take.
    let accepted = 1
    for (
      ;
      await push.send(body, { timeout: 200 }).then(
        () => true,
        () => false,
      );
      accepted++
    );
    const passedOn = device.second.stats().messagesSent
    expect(passedOn).toBeLessThanOrEqual(accepted)

    let received = 1
    const receiving = (async () => {
      for await (const message of pull) {
        expect(message).toHaveLength(body.length)
        received++
      }
    })()
    await Promise.all([device.close(), device.close()])
    while (received < passedOn) await new Promise(setImmediate)
    await pull.close()
    await receiving
  })

  test('passes on what is published', async () => {
    await using device = new Device('pubsub')
    await using pub = new Pub()
    await using sub = new Sub()
    connectTo(device, address, pub, sub)
    sub.subscribe('news')
    expect(String(await sayUntil(() => pub.send('news of today'), sub.receive()))).toBe('news of today')
  })

  test('brings surveys to respondents, and answers back', async () => {
    await using device = new Device('survey')
    await using surveyor = new Surveyor({ deadline: 10_000 })
    await using respondent = new Respondent()
    connectTo(device, address, surveyor, respondent)
    await sayUntil(() => surveyor.send('who?'), respondent.receive())
    await respondent.send('me')
    // The survey that was answered may not be the last one: ask once more, now that all are connected.
    await surveyor.send('who?')
    await respondent.receive()
    await respondent.send('me')
    expect(String(await surveyor.receive())).toBe('me')
  })

  test('connects two PAIRs, both ways', async () => {
    await using device = new Device('pair')
    await using left = new Pair()
    await using right = new Pair()
    connectTo(device, address, left, right)
    await left.send('to the right')
    expect(String(await right.receive())).toBe('to the right')
    await right.send('to the left')
    expect(String(await left.receive())).toBe('to the left')
  })

  test('joins two BUSes', async () => {
    await using device = new Device('bus')
    await using left = new Bus()
    await using right = new Bus()
    connectTo(device, address, left, right)
    expect(String(await sayUntil(() => left.send('hear'), right.receive()))).toBe('hear')
  })

  test('connects as well as it binds, and counts', async () => {
    await using device = new Device('pipeline')
    await using push = new Push()
    await using pull = new Pull()
    device.first.connect(push.bind(address()).address)
    device.second.connect(pull.bind(address()).address)
    await push.send('there')
    expect(String(await pull.receive())).toBe('there')
    expect(device.first.stats()).toMatchObject({ messagesReceived: 1, currentConnections: 1 })
    expect(device.second.stats()).toMatchObject({ messagesSent: 1, currentConnections: 1 })
  })
})

test('a device forwards while JavaScript is busy', async () => {
  await using device = new Device('pair')
  const left = device.first.bind('tcp://127.0.0.1:0')
  const right = device.second.bind('tcp://127.0.0.1:0')
  const program = join(__dirname, '..', '..', 'dist', 'index.js')
  const exchange = `
    const { Pair } = require(${JSON.stringify(program)})
    const left = new Pair({ receiveTimeout: 5000 }), right = new Pair({ receiveTimeout: 5000 })
    left.connect(${JSON.stringify(left)})
    right.connect(${JSON.stringify(right)})
    const talk = async () => {
      await left.send('through the device')
      console.log(String(await right.receive()))
      await Promise.all([left.close(), right.close()])
    }
    talk()`
  // Synchronous: the event loop of this process stands still until the program has ended.
  expect(execFileSync(process.execPath, ['-e', exchange], { encoding: 'utf8' })).toBe('through the device\n')
})

test('a device that is left open keeps the process alive, and ends with it when it exits', () => {
  const program = JSON.stringify(join(__dirname, '..', '..', 'dist', 'index.js'))
  const text = `
    const { Device } = require(${program})
    new Device('reqrep').first.bind('tcp://127.0.0.1:0')
    setTimeout(() => { console.log('alive'); process.exit(7) }, 100).unref()`
  let status: unknown
  let stdout: unknown
  try {
    execFileSync(process.execPath, ['-e', text], { encoding: 'utf8' })
  } catch (error) {
    ;({ status, stdout } = error as { status: unknown; stdout: unknown })
  }
  expect({ status, stdout }).toEqual({ status: 7, stdout: 'alive\n' })
})

test('a wrong pattern and a wrong address are refused', async () => {
  expect(await failureOf(() => new Device('nothing' as 'bus'))).toMatchObject({ code: 'EINVAL', syscall: 'device' })
  await using device = new Device('bus')
  expect(await failureOf(() => device.first.bind('tcp://127.0.0.1'))).toMatchObject({ code: 'EINVAL', syscall: 'bind' })
})
