import { describe, expect, test } from 'vitest'
import { Program } from './program.js'
import { ids, RawPeer, streams } from './raw-peer.js'

const MiB = 1024 * 1024

/** A program that binds and tells its address, and then, four times a second, what of it is in memory besides
 *  garbage. */
const watched = (socket: string, address: string) => `
  require('node:v8').setFlagsFromString('--expose-gc'); const gc = require('node:vm').runInNewContext('gc')
  const socket = new ${socket}; console.log(socket.bind('${address}').address)
  setInterval(() => { gc(); console.log(process.memoryUsage.rss()) }, 250)`

/** A wave of peers, and one that stays behind: it holds on to what malloc has placed behind the memory of the wave. */
async function wave(address: string, protocol: number, act: (peer: RawPeer, i: number) => unknown): Promise<RawPeer> {
  const peers: RawPeer[] = []
  for (let i = 0; i < 300; i++) {
    const peer = await RawPeer.admitted(address, protocol)
    await act(peer, i)
    peers.push(peer)
  }
  const survivor = await RawPeer.admitted(address, protocol)
  survivor.stream.write(survivor.prefix(1_000_000))
  await act(survivor, 0)
  for (const peer of peers) peer[Symbol.dispose]()
  return survivor
}

async function expectMemoryBack(program: Program, before: number): Promise<void> {
  let now = Number(await program.line())
  for (let looks = 1; looks < 40 && now > before + 20 * MiB; looks++) now = Number(await program.line())
  expect((now - before) / MiB).toBeLessThanOrEqual(20)
}

describe.each(streams)('over $scheme, the memory of a flood goes back to the system when', ({ address }) => {
  test('three hundred peers have left in the middle of a message', { timeout: 180_000 }, async () => {
    await using program = new Program(watched('Pull', address()))
    const bound = await program.line()
    const halves = Buffer.alloc(500_000)
    for (let round = 0, before = Number(await program.line()); round < 2; round++) {
      using _survivor = await wave(bound, ids.push, (peer, i) =>
        peer.write(Buffer.concat([peer.prefix(1_000_000), halves.subarray(0, 100_000 + ((i * 7919) % 400_000))])),
      )
      await expectMemoryBack(program, before)
    }
  })
})
