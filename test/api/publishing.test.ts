import { type Bytes, Pub, Sub } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll, failureOf, transports, turn } from './support.js'

/** Publishes until every Sub has heard it; they have subscribed to '\0sync'. Nothing of it is left afterwards. */
async function settle(pub: Pub, ...subs: Sub[]): Promise<void> {
  const isHeard = subs.map(() => false)
  while (isHeard.includes(false)) {
    await pub.send('\0sync')
    await turn()
    for (const [i, sub] of subs.entries()) if (sub.tryReceive() !== undefined) isHeard[i] = true
  }
  await pub.send('\0sync.end')
  for (const sub of subs) while (String(await sub.receive()) !== '\0sync.end');
}

/** A Pub and a Sub that is connected and has subscribed to the prefixes. */
async function pairUp(address: string, ...prefixes: Bytes[]) {
  const pub = new Pub()
  const sub = new Sub().subscribe('\0sync')
  connectAll(address, pub, sub)
  await settle(pub, sub)
  sub.subscribe(...prefixes)
  return {
    pub,
    sub,
    async [Symbol.asyncDispose]() {
      await Promise.all([pub.close(), sub.close()])
    },
  }
}

/** Publishes the texts, and returns those that the Sub receives. */
async function heardOf(pub: Pub, sub: Sub, published: Bytes[]): Promise<string[]> {
  for (const body of published) await pub.send(body)
  await pub.send('\0sync.end')
  const heard: string[] = []
  for (let text = ''; ; heard.push(text)) {
    text = (await sub.receive()).toString('latin1')
    if (text === '\0sync.end') return heard
  }
}

describe.each(transports)('over $scheme', ({ address }) => {
  test('a Pub without subscribers never waits', async () => {
    await using pub = new Pub({ sendTimeout: 0 })
    pub.bind(address())
    for (let i = 0; i < 1000; i++) await pub.send(`${i}`)
    expect(pub.trySend('once more')).toBe(true)
  })

  test('every Sub hears every message, in order', async () => {
    await using pub = new Pub()
    const subs = Array.from({ length: 5 }, () => new Sub().subscribe(''))
    connectAll(address(), pub, ...subs)
    await settle(pub, ...subs)
    for (let i = 0; i < 200; i++) await pub.send(`${i}`)
    for (const sub of subs) for (let i = 0; i < 200; i++) expect(String(await sub.receive())).toBe(`${i}`)
    await Promise.all(subs.map((sub) => sub.close()))
  })

  test('a Sub hears every Pub that it is connected to', async () => {
    await using sub = new Sub().subscribe('')
    const pubs = [new Pub(), new Pub(), new Pub()]
    connectAll(address(), sub, ...pubs)
    for (const pub of pubs) await settle(pub, sub)
    for (const [i, pub] of pubs.entries()) await pub.send(`${i}`)
    const heard = [await sub.receive(), await sub.receive(), await sub.receive()].map(String)
    expect(heard.sort()).toEqual(['0', '1', '2'])
    await Promise.all(pubs.map((pub) => pub.close()))
  })

  test('a Sub that is slow misses messages, and hears those that follow', async () => {
    await using both = await pairUp(address(), 'x')
    const { pub, sub } = both
    const body = Buffer.alloc(50_000, 'x')
    for (let i = 0; i < 1000; i++) {
      await pub.send(body)
      await turn()
    }
    let heard = 0
    let isSettled = false
    const settled = (async () => {
      for await (const message of sub) {
        if (message.length > 10) heard++
        else break
      }
      isSettled = true
    })()
    while (!isSettled) {
      await pub.send('\0sync')
      await turn()
    }
    await settled
    expect(heard).toBeGreaterThan(0)
    expect(heard).toBeLessThan(1000)
  })
})

describe('a prefix', () => {
  const cases: [string, Bytes[], Bytes[], string[]][] = [
    ['is the whole message, too', ['abc'], ['abc', 'ab', 'abcd'], ['abc', 'abcd']],
    ['may be bytes', [Buffer.from([0, 1])], [Buffer.from([0, 1, 2]), Buffer.from([0, 2])], ['\0\x01\x02']],
    ['may be part of another Uint8Array', [new Uint8Array([9, 1, 9]).subarray(1, 2)], ['\x01a', '\x09a'], ['\x01a']],
    ['is UTF-8 when it is a string', ['é'], [Buffer.from([0xc3, 0xa9]), Buffer.from([0xe9])], ['\xc3\xa9']],
    ['is told from one that differs in the last byte', ['ab\0'], ['ab', 'ab\0', 'ab\x01'], ['ab\0']],
    ['that is empty fits everything', [''], ['', 'a', '\xff'], ['', 'a', '\xc3\xbf']],
    ['that fits twice gives one message', ['a', 'ab', ''], ['abc'], ['abc']],
    ['may be long', ['p'.repeat(5000)], ['p'.repeat(4999), 'p'.repeat(5001)], ['p'.repeat(5001)]],
    ['may be one of several', ['a', 'b', 'c', 'd', 'e'], ['f', 'e', '', 'A'], ['e']],
  ]
  test.each(cases)('%s', async (_, prefixes, published, expected) => {
    await using both = await pairUp('tcp://127.0.0.1:0', ...prefixes)
    expect(await heardOf(both.pub, both.sub, published)).toEqual(expected)
  })

  test('may be one of thousands', async () => {
    const prefixes = Array.from({ length: 5000 }, (_, i) => `topic/${i}/`)
    await using both = await pairUp('inproc://thousands', ...prefixes)
    const { pub, sub } = both
    expect(await heardOf(pub, sub, ['topic/4999/x', 'topic/5000/x', 'topic/0/', 'topic/0'])).toEqual([
      'topic/4999/x',
      'topic/0/',
    ])
    sub.unsubscribe(...prefixes.filter((_, i) => i % 2 === 0))
    expect(await heardOf(pub, sub, ['topic/1/', 'topic/2/', 'topic/3/'])).toEqual(['topic/1/', 'topic/3/'])
  })

  test('cannot be anything but bytes, and then none of the call is subscribed to', async () => {
    await using both = await pairUp('inproc://not-bytes')
    const { pub, sub } = both
    for (const wrong of [5, null, undefined, {}, ['a'], new ArrayBuffer(1)]) {
      const error = await failureOf(() => sub.subscribe('good', wrong as never))
      expect([error.code, error.syscall]).toEqual(['EINVAL', 'subscribe'])
      expect(error.message).toContain('a prefix must be a Buffer, a Uint8Array or a string')
      expect((await failureOf(() => sub.unsubscribe(wrong as never))).syscall).toBe('unsubscribe')
    }
    expect(await heardOf(pub, sub, ['good'])).toEqual([])
  })
})

describe('unsubscribing', () => {
  test('ends what fits, and nothing else', async () => {
    await using both = await pairUp('inproc://unsubscribing', 'a', 'ab', Buffer.from('b'))
    const { pub, sub } = both
    expect(sub.unsubscribe('a', 'b')).toBe(sub)
    expect(await heardOf(pub, sub, ['a', 'ab', 'b'])).toEqual(['ab'])
  })

  test('from everything leaves what was subscribed to by name', async () => {
    await using both = await pairUp('inproc://everything-but', '', 'a')
    const { pub, sub } = both
    sub.unsubscribe('')
    expect(await heardOf(pub, sub, ['a', 'b'])).toEqual(['a'])
  })

  test('on a closed socket is EBADF', async () => {
    const sub = new Sub()
    await sub.close()
    expect((await failureOf(() => sub.subscribe('a'))).code).toBe('EBADF')
    expect((await failureOf(() => sub.unsubscribe('a'))).code).toBe('EBADF')
  })
})

test('a Sub that comes late hears what is published from then on', async () => {
  await using pub = new Pub()
  const { address } = pub.bind('tcp://127.0.0.1:0')
  await pub.send('missed')
  await using sub = new Sub().subscribe('')
  sub.connect(address)
  await settle(pub, sub)
  await pub.send('heard')
  expect(String(await sub.receive())).toBe('heard')
})

test('Subs come and go while a Pub publishes', async () => {
  await using pub = new Pub()
  const { address } = pub.bind('tcp://127.0.0.1:0')
  let isOver = false
  const publishing = (async () => {
    for (let i = 0; !isOver; i++) {
      await pub.send(`${i}`)
      await turn()
    }
  })()
  for (let round = 0; round < 20; round++) {
    const sub = new Sub().subscribe('')
    sub.connect(address)
    const first = Number(await sub.receive())
    for (let i = 1; i < 20; i++) expect(Number(await sub.receive())).toBe(first + i)
    await sub.close()
  }
  isOver = true
  await publishing
  expect(pub.trySend('nobody is left')).toBe(true)
})
