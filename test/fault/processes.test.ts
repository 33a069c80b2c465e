import { existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { Pull, Push, Req, Sub } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { failureOf, temporaryFolder, turn } from '../api/support.js'
import { Program } from './program.js'
import { RawListener, streams } from './raw-peer.js'
import { expectServed } from './victims.js'

/** A program that binds, tells its address, and then whatever it hears. */
const hearing = (socket: string, address: string, then = '') => `
  const socket = new ${socket}; console.log(socket.bind('${address}').address)
  ;(async () => { for await (const message of socket) { console.log(String(message)); ${then} } })()`

const quick = { reconnectInterval: 5, linger: 0 }

describe.each(streams)('a process that is killed, with a peer over $scheme,', ({ address }) => {
  test('is found again at the same address, and asked again what it had not answered', async () => {
    await using first = new Program(hearing('Rep', address()))
    const bound = await first.line()
    await using req = new Req(quick)
    req.connect(bound)
    await req.send('important')
    expect(await first.line()).toBe('important')
    await first.kill()
    await using second = new Program(hearing('Rep', bound, `await socket.send('done')`))
    expect(await second.line()).toBe(bound)
    expect(await second.line()).toBe('important')
    expect(String(await req.receive())).toBe('done')
  })

  test('again and again, is found again each time', async () => {
    await using push = new Push(quick)
    let bound = address()
    for (let i = 0; i < 4; i++) {
      await using program = new Program(hearing('Pull', bound))
      bound = await program.line()
      if (i === 0) push.connect(bound)
      // What is sent before the end of the last one is noticed may be lost.
      const pace = setInterval(() => push.trySend(`round ${i}`), 1)
      expect(await program.line()).toBe(`round ${i}`)
      clearInterval(pace)
      await program.kill()
      await turn()
    }
  })

  test('leaves its share of the work to others', async () => {
    await using push = new Push({ linger: 0 })
    const bound = push.bind(address()).address
    const worker = `const pull = new Pull(); pull.connect('${bound}')
      ;(async () => { for await (const message of pull) console.log(String(message)) })()`
    await using killed = new Program(worker)
    await using other = new Program(worker)
    await using third = new Pull()
    third.connect(bound)
    let work = 0
    const pace = setInterval(() => push.trySend(`${work++}`), 1)
    await Promise.all([killed.line(), other.line(), third.receive()])
    await killed.kill()
    for (let i = 0; i < 50; i++) await Promise.all([other.line(), third.receive()])
    clearInterval(pace)
  })

  test('while it speaks is heard up to there, and others go on', async () => {
    for (let round = 0; round < 3; round++) {
      await using pull = new Pull()
      const bound = pull.bind(address()).address
      await using innocent = new Push()
      innocent.connect(bound)
      await using program = new Program(`const push = new Push(); push.connect('${bound}')
        ;(async () => { for (let i = 0; ; i++) await push.send(Buffer.alloc(100_000, String(i % 10))) })()`)
      let heard = 0
      const expectNext = (body: Buffer) => expect(body.equals(Buffer.alloc(100_000, String(heard++ % 10)))).toBe(true)
      while (heard < 20) expectNext(await pull.receive())
      await program.kill()
      await innocent.send('end')
      for (let body = await pull.receive(); String(body) !== 'end'; body = await pull.receive()) expectNext(body)
    }
  })

  test('is subscribed to again when it is back', async () => {
    await using sub = new Sub(quick).subscribe('news')
    const publisher = (at: string, news: string) => `
      const pub = new Pub(); console.log(pub.bind('${at}').address); setInterval(() => pub.send('news ${news}'), 1)`
    await using first = new Program(publisher(address(), 'before'))
    const bound = await first.line()
    sub.connect(bound)
    expect(String(await sub.receive())).toBe('news before')
    await first.kill()
    await using second = new Program(publisher(bound, 'after'))
    expect(await second.line()).toBe(bound)
    while (String(await sub.receive()) !== 'news after');
  })
})

test.each(streams)(
  'a process that is stopped keeps its peer over $scheme, and delays no other',
  async ({ address }) => {
    await using push = new Push({ linger: 0 })
    const bound = push.bind(address()).address
    await using program = new Program(`const pull = new Pull(); pull.connect('${bound}')
    ;(async () => { for await (const message of pull) console.log(message.length) })()`)
    const body = Buffer.alloc(64 * 1024)
    await push.send(body)
    expect(await program.line()).toBe(`${body.length}`)
    program.signal('SIGSTOP')
    let sent = 0
    while (sent < 1000 && (await push.send(body, { timeout: 20 }).then(...succeeded))) sent++
    expect(sent).toBeLessThan(1000)
    await using pull = new Pull()
    pull.connect(bound)
    await expectServed(push, pull)
    program.signal('SIGCONT')
    while (sent > 0) if ((await program.line()) === `${body.length}`) sent--
  },
)

const succeeded = [() => true, () => false] as const

describe('the file of an ipc address', () => {
  test('that a killed process has left is taken over', async () => {
    using folder = temporaryFolder()
    const path = `${folder.path}/socket`
    await using program = new Program(hearing('Pull', `ipc://${path}`))
    await program.line()
    await program.kill()
    expect(existsSync(path)).toBe(true)
    await using pull = new Pull()
    pull.bind(`ipc://${path}`)
    await using push = new Push()
    push.connect(`ipc://${path}`)
    await push.send('alive')
    expect(String(await pull.receive())).toBe('alive')
    await pull.close()
    expect(existsSync(path)).toBe(false)
  })

  test('on which another process listens is EADDRINUSE, and it notices nothing', async () => {
    using folder = temporaryFolder()
    const address = `ipc://${folder.path}/socket`
    await using program = new Program(hearing('Pull', address))
    await program.line()
    await using push = new Push()
    push.connect(address)
    await push.send('before')
    expect(await program.line()).toBe('before')
    await using pull = new Pull()
    for (let i = 0; i < 10; i++) expect((await failureOf(() => pull.bind(address))).code).toBe('EADDRINUSE')
    await push.send('after')
    expect(await program.line()).toBe('after')
    await using another = new Push()
    another.connect(address)
    await another.send('of a newcomer')
    expect(await program.line()).toBe('of a newcomer')
  })

  test('on which another process listens is EADDRINUSE', async () => {
    await using listener = await RawListener.open('ipc', () => {})
    await using pull = new Pull()
    expect((await failureOf(() => pull.bind(listener.address))).code).toBe('EADDRINUSE')
    expect(existsSync(listener.address.slice('ipc://'.length))).toBe(true)
  })

  test.each<[string, (path: string) => void]>([
    ['a file', (path) => writeFileSync(path, 'precious')],
    ['a folder', (path) => mkdirSync(path)],
    ['a link to nothing', (path) => symlinkSync('nothing', path)],
    [
      'a link to a file',
      (path) => {
        writeFileSync(`${path}-data`, 'precious')
        symlinkSync(`${path}-data`, path)
      },
    ],
  ])('where %s is already is EADDRINUSE, and nothing is removed', async (_, make) => {
    using folder = temporaryFolder()
    const path = `${folder.path}/it`
    make(path)
    await using pull = new Pull()
    expect((await failureOf(() => pull.bind(`ipc://${path}`))).code).toBe('EADDRINUSE')
    renameSync(path, `${path}-still-here`)
    if (existsSync(`${path}-data`)) expect(readFileSync(`${path}-data`, 'utf8')).toBe('precious')
  })

  test('that another has made in the place of ours stays when we close', async () => {
    using folder = temporaryFolder()
    const path = `${folder.path}/socket`
    await using first = new Pull()
    const endpoint = first.bind(`ipc://${path}`)
    renameSync(path, `${path}-old`)
    await using second = new Pull()
    second.bind(`ipc://${path}`)
    endpoint.close()
    expect(existsSync(path)).toBe(true)
    await using push = new Push()
    push.connect(`ipc://${path}`)
    await push.send('x')
    expect(String(await second.receive())).toBe('x')
  })
})
