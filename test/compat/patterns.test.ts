import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type * as nano from 'nanomsg-native/compat'
import { NN_STAT_CURRENT_CONNECTIONS, nn_endpoint_address, nn_get_statistic } from 'nanomsg-native/nn'
import { describe, expect, test } from 'vitest'
import { turn, until } from '../api/support.js'
import { errorOf, Sockets, text, texts } from './support.js'

let counter = 0

const transports = [
  ['inproc', () => `inproc://patterns-${counter++}`],
  ['ipc', () => `ipc://${join(tmpdir(), `nn-compat-${process.pid}-${counter++}`)}`],
  ['tcp', () => 'tcp://127.0.0.1:0'],
  ['ws', () => 'ws://127.0.0.1:0'],
] as const

describe.each(transports)('over %s', (_, newAddress) => {
  function connect(bound: nano.Socket, ...others: nano.Socket[]): void {
    const id = bound.bind(newAddress())!
    const address = nn_endpoint_address(bound.binding, id)
    for (const socket of others) socket.connect(address)
  }

  /** Sends again and again until there is an answer: a subscriber may not be there yet. */
  async function repeat(send: () => void, isOver: () => boolean): Promise<void> {
    await until(() => {
      if (!isOver()) send()
      return isOver()
    })
  }

  test('pairs talk', async () => {
    using sockets = new Sockets()
    const [left, right] = [sockets.open('pair'), sockets.open('pair')]
    connect(left, right)
    right.on('data', (message) => right.send(`${message}!`))
    left.send('hello')
    expect(await text(left)).toBe('hello!')
  })

  test('a request gets its reply', async () => {
    using sockets = new Sockets()
    const [rep, req] = [sockets.open('rep'), sockets.open('req')]
    connect(rep, req)
    rep.on('data', (request) => rep.send(`who's there? (${request})`))
    for (const question of ['knock', 'knock knock']) {
      req.send(question)
      expect(await text(req)).toBe(`who's there? (${question})`)
    }
  })

  test('pushes are pulled in order', async () => {
    using sockets = new Sockets()
    const [pull, push] = [sockets.open('pull'), sockets.open('push')]
    connect(pull, push)
    const received = texts(pull, 500)
    for (let i = 0; i < 500; i++) push.send(`${i}`)
    expect(await received).toEqual(Array.from({ length: 500 }, (_, i) => `${i}`))
  })

  test('all subs get what is published', async () => {
    using sockets = new Sockets()
    const pub = sockets.open('pub')
    const subs = [sockets.open('sub'), sockets.open('sub'), sockets.open('sub')]
    connect(pub, ...subs)
    const got = new Set<nano.Socket>()
    for (const sub of subs) sub.on('data', (message) => String(message) === 'news' && got.add(sub))
    await repeat(
      () => pub.send('news'),
      () => got.size === 3,
    )
  })

  test('a survey gets the answers of all, and another one, too', async () => {
    using sockets = new Sockets()
    const surveyor = sockets.open('surveyor')
    const respondents = [sockets.open('respondent'), sockets.open('respondent')]
    connect(surveyor, ...respondents)
    for (const [i, respondent] of respondents.entries()) {
      respondent.on('data', (survey) => respondent.send(`${survey} ${i}`))
    }
    await until(() => nn_get_statistic(surveyor.binding, NN_STAT_CURRENT_CONNECTIONS) === 2)
    for (const survey of ['a', 'b']) {
      const answers = texts(surveyor, 2)
      surveyor.send(survey)
      expect((await answers).sort()).toEqual([`${survey} 0`, `${survey} 1`])
    }
  })

  test('buses talk to all others', async () => {
    using sockets = new Sockets()
    const buses = [sockets.open('bus'), sockets.open('bus'), sockets.open('bus')] as const
    connect(buses[0], buses[1], buses[2])
    connect(buses[1], buses[2])
    const heard = buses.map((bus) => {
      const from = new Set<string>()
      bus.on('data', (message) => from.add(String(message)))
      return from
    })
    await repeat(
      () => {
        for (const [i, bus] of buses.entries()) bus.send(`bus ${i}`)
      },
      () => heard.every((from) => from.size === 2),
    )
    expect(heard.map((from) => [...from].sort())).toEqual([
      ['bus 1', 'bus 2'],
      ['bus 0', 'bus 2'],
      ['bus 0', 'bus 1'],
    ])
  })
})

describe('channels', () => {
  test('are those that the constructor is given, and no others', async () => {
    using sockets = new Sockets()
    const pub = sockets.open('pub')
    const sub = sockets.open('sub', { chan: ['foo', Buffer.from('hello')] })
    expect(sub.channels).toEqual({ foo: true, hello: true })
    pub.bind('inproc://channels-1')
    sub.connect('inproc://channels-1')
    const received = texts(sub, 2)
    for (const message of ['bar world', 'foo world', 'hi world', 'hello world']) pub.send(message)
    expect(await received).toEqual(['foo world', 'hello world'])
  })

  test('take the place of everything, and are added to each other', () => {
    using sockets = new Sockets()
    const sub = sockets.open('sub')
    sub.chan(['a', 'b'])
    expect(sub.channels).toEqual({ a: true, b: true })
    sub.chan(['c'])
    sub.rmchan('a', 'never registered')
    expect(sub.channels).toEqual({ b: true, c: true })
    expect(() => sub.chan('abc' as never)).toThrow(
      expect.objectContaining({ name: 'TypeError', message: 'chan requires an Array', code: 'EINVAL' }),
    )
  })

  test.each([
    ['an empty list changes nothing', [], ['']],
    ['what follows everything takes its place', ['', 'a', 'b'], ['a', 'b']],
    ['everything is added to what comes before', ['a', ''], ['a', '']],
  ])('%s', async (_, list, expected) => {
    using sockets = new Sockets()
    expect(Object.keys(sockets.open('sub', { chan: list }).channels)).toEqual(list.length === 0 ? [] : expected)
    const [pub, sub] = sockets.connected('pub', 'sub') as [nano.Socket, nano.Socket]
    sub.chan(list)
    expect(Object.keys(sub.channels)).toEqual(expected)
    const isEverything = expected.includes('')
    const received = texts(sub, isEverything ? 3 : 2)
    for (const message of ['a1', 'c', 'b1']) pub.send(message)
    expect(await received).toEqual(isEverything ? ['a1', 'c', 'b1'] : ['a1', 'b1'])
  })

  test('that a listener removes or adds count from the next message on', async () => {
    using sockets = new Sockets()
    const [pub, sub] = sockets.connected('pub', 'sub') as [nano.Socket, nano.Socket]
    const received: string[] = []
    sub.on('data', (message) => {
      received.push(String(message))
      if (received.length === 1) sub.chan(['a', 'end'])
      if (received.length === 2) sub.rmchan('a')
    })
    for (const message of ['first', 'no', 'a1', 'a2', 'no', 'a3', 'end']) pub.send(message)
    await until(() => received.includes('end'))
    await turn()
    expect(received).toEqual(['first', 'a1', 'end'])
  })

  test('are for subs only', async () => {
    using sockets = new Sockets()
    const pub = sockets.open('pub')
    const emitted = errorOf(pub)
    pub.chan(['x'])
    pub.rmchan('x')
    expect((await emitted).message).toBe('Protocol not available : x')
    expect(pub.channels).toEqual({})
  })
})

test('a raw surveyor receives once it has sent', async () => {
  using sockets = new Sockets()
  const [raw, respondent] = [sockets.open('surveyor', { raw: true }), sockets.open('respondent')]
  raw.bind('inproc://raw-surveyor')
  respondent.connect('inproc://raw-surveyor')
  respondent.on('data', () => respondent.send('answer'))
  const answered = text(raw)
  const surveyId = [0x80, 0, 0, 1]
  raw.send(Buffer.from([...surveyId, ...Buffer.from('question')]))
  expect(await answered).toBe('answer')
})

test('raw sockets send, but leave receiving to devices', async () => {
  using sockets = new Sockets()
  const [raw, cooked] = [sockets.open('pair', { raw: true }), sockets.open('pair')]
  cooked.bind('inproc://raw')
  raw.connect('inproc://raw')
  raw.on('data', () => {
    throw new Error('a raw socket has received')
  })
  cooked.send('to the raw one')
  raw.send('to the cooked one')
  expect(await text(cooked)).toBe('to the cooked one')
})
