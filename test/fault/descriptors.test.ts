import { setTimeout as pass } from 'node:timers/promises'
import { Req } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../api/support.js'
import { Program } from './program.js'
import { handshake, ids, RawPeer, streams } from './raw-peer.js'

/** A program that does what it is asked by requests. `open` binds or connects the Rep `rep`. */
const obedient = (open: string) => `
  const { closeSync, openSync } = require('node:fs')
  const rep = new Rep({ reconnectInterval: 5 }), other = new Rep({ reconnectInterval: 5 })
  const held = []
  const attempt = (call) => { try { call(); return 'done' } catch (error) { return error.code } }
  const commands = {
    exhaust: () => attempt(() => { for (;;) held.push(openSync('/dev/null')) }),
    release: () => attempt(() => { for (const fd of held.splice(0)) closeSync(fd) }),
    cpu: () => { const { user, system } = process.cpuUsage(); return String((user + system) / 1000) },
    connect: (address) => attempt(() => other.connect(address)),
    bind: (address) => attempt(() => other.bind(address)),
  }
  const serve = async (socket) => {
    for await (const request of socket) {
      const [name, address] = String(request).split(' ')
      await socket.send(commands[name]?.(address) ?? name)
    }
  }
  ${open}
  serve(rep), serve(other)`

/** Reaches such a program by one connection, which it has from the start. */
class Master extends Req {
  async ask(request: string): Promise<string> {
    await this.send(request)
    return String(await this.receive())
  }

  /** Milliseconds that the program computes while half a second passes. */
  async computing(): Promise<number> {
    const before = Number(await this.ask('cpu'))
    await pass(500)
    return Number(await this.ask('cpu')) - before
  }
}

describe.each(streams)('a process that runs out of descriptors and is called over $scheme', ({ address }) => {
  const listening = () => new Program(obedient(`console.log(rep.bind('${address()}').address)`), { descriptors: 64 })

  test('serves those it has, does not spin, and accepts the others later', async () => {
    await using program = listening()
    const bound = await program.line()
    await using master = new Master()
    master.connect(bound)
    expect(await master.ask('exhaust')).toBe('EMFILE')
    using peer = await RawPeer.connect(bound)
    await using late = new Master()
    late.connect(bound)
    const answered = late.ask('late')
    expect(await master.computing()).toBeLessThan(200)
    for (let i = 0; i < 100; i++) expect(await master.ask(`${i}`)).toBe(`${i}`)
    expect(peer.stream.readableLength).toBe(0)
    expect(await master.ask('release')).toBe('done')
    expect(await peer.handshake(ids.req)).toEqual(handshake(ids.rep))
    expect(await answered).toBe('late')
    expect(await master.computing()).toBeLessThan(200)
  })

  test('takes the next once one has left', async () => {
    await using program = listening()
    const bound = await program.line()
    await using master = new Master()
    master.connect(bound)
    const places: RawPeer[] = []
    for (let i = 0; i < 5; i++) places.push(await RawPeer.admitted(bound, ids.req))
    expect(await master.ask('exhaust')).toBe('EMFILE')
    for (let i = 0; i < 5; i++) {
      const next = await RawPeer.connect(bound)
      const said = next.handshake(ids.req)
      expect(await master.ask('still there?')).toBe('still')
      places.shift()![Symbol.dispose]()
      expect(await said).toEqual(handshake(ids.rep))
      places.push(next)
    }
    for (const peer of places) peer[Symbol.dispose]()
  })
})

describe.each(streams)('a process that runs out of descriptors and calls over $scheme', ({ address }) => {
  const calling = (to: string) => new Program(obedient(`rep.connect('${to}')`), { descriptors: 64 })

  test('tries again without spinning until there are some', async () => {
    await using master = new Master()
    await using program = calling(master.bind(address()).address)
    expect(await master.ask('exhaust')).toBe('EMFILE')
    await using second = new Master()
    expect(await master.ask(`connect ${second.bind(address()).address}`)).toBe('done')
    const answered = second.ask('connected')
    expect(await master.computing()).toBeLessThan(200)
    expect(await master.ask('release')).toBe('done')
    expect(await answered).toBe('connected')
    await program.kill()
  })

  test('is told when it binds, and can bind later', async () => {
    using folder = temporaryFolder()
    await using master = new Master()
    await using program = calling(master.bind(address()).address)
    const path = `ipc://${folder.path}/socket`
    expect(await master.ask('exhaust')).toBe('EMFILE')
    for (const each of ['tcp://127.0.0.1:0', path]) expect(await master.ask(`bind ${each}`)).toBe('EMFILE')
    expect(await master.ask('release')).toBe('done')
    expect(await master.ask(`bind ${path}`)).toBe('done')
    await using second = new Master()
    second.connect(path)
    expect(await second.ask('bound')).toBe('bound')
    await program.kill()
  })

  test('is told the same where a process that is dead has left its socket', async () => {
    using folder = temporaryFolder()
    const path = `ipc://${folder.path}/socket`
    const dead = new Program(`console.log(new Pull().bind('${path}').address); setInterval(() => {}, 1000)`)
    await dead.line()
    await dead.kill()
    await using master = new Master()
    await using program = calling(master.bind(address()).address)
    expect(await master.ask('exhaust')).toBe('EMFILE')
    expect(await master.ask(`bind ${path}`)).toBe('EMFILE')
    expect(await master.ask('release')).toBe('done')
    expect(await master.ask(`bind ${path}`)).toBe('done')
    await program.kill()
  })
})
