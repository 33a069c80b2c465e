/** Our sockets in conversation with the command-line tools of libnanomsg and NNG. */
import { writeFileSync } from 'node:fs'
import { Pair, Pub, Pull, Push, Rep, Req, type Socket, Sub } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import {
  describeWithNng,
  describeWithOriginal,
  type Program,
  temporaryFolder,
  theirs,
  theirsOfNng,
} from '../cli/programs.js'
import { transports } from '../cli/transports.js'

const allBytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
const long = Buffer.alloc(2 ** 20 - 1)
for (let i = 0; i < long.length; i++) long[i] = (i * 31) % 251

function bodiesUpTo(name: string, length: number): [string, Buffer][] {
  return [
    ['nothing', Buffer.alloc(0)],
    ['1 byte', Buffer.from([0x80])],
    ['256 bytes', allBytes],
    [name, long.subarray(0, length)],
  ]
}

const bodies = bodiesUpTo('1 MiB - 1', long.length)
/** The tools take 1 MiB, and count the 4 bytes that identify a request. */
const bodiesOfRequests = bodiesUpTo('1 MiB - 4', 2 ** 20 - 4)

/** A message as the tools print it with --msgpack: they tell its length, even of nothing. */
function asMsgpack(body: Buffer): Buffer {
  if (body.length < 2 ** 8) return Buffer.concat([Buffer.from([0xc4, body.length]), body])
  const header = Buffer.alloc(body.length < 2 ** 16 ? 3 : 5)
  if (header.length === 3) header.writeUInt16BE(body.length, 1)
  else header.writeUInt32BE(body.length, 1)
  header[0] = header.length === 3 ? 0xc5 : 0xc6
  return Buffer.concat([header, body])
}

/** Settles when the program has printed the message, first of all. */
async function printed(program: Program, body: Buffer): Promise<void> {
  const expected = asMsgpack(body)
  await program.until(({ stdout }) => stdout.length >= expected.length)
  expect(program.stdout.subarray(0, expected.length).equals(expected)).toBe(true)
}

/** What the program is, what our socket is, and how both find the same message at the other end. */
interface Conversation {
  name: string
  args: string[]
  /** Whether the program is given the message, and whether it prints one. */
  speaks: boolean
  prints: boolean
  bodies: [string, Buffer][]
  socket: () => Socket
  talk(socket: Socket, program: Program, body: Buffer): Promise<void>
}

const conversations: Conversation[] = [
  {
    name: 'their REQ, our Rep',
    args: ['--req'],
    speaks: true,
    prints: true,
    bodies: bodiesOfRequests,
    socket: () => new Rep(),
    async talk(socket, program, body) {
      const rep = socket as Rep
      expect((await rep.receive()).equals(body)).toBe(true)
      await rep.send(body)
      await printed(program, body)
    },
  },
  {
    name: 'their REP, our Req',
    args: ['--rep'],
    speaks: true,
    prints: true,
    bodies: bodiesOfRequests,
    socket: () => new Req(),
    async talk(socket, program, body) {
      const req = socket as Req
      await req.send(body)
      expect((await req.receive()).equals(body)).toBe(true)
      await printed(program, body)
    },
  },
  {
    name: 'their PAIR, our Pair',
    args: ['--pair'],
    speaks: true,
    prints: true,
    bodies,
    socket: () => new Pair(),
    async talk(socket, program, body) {
      const pair = socket as Pair
      expect((await pair.receive()).equals(body)).toBe(true)
      await pair.send(body)
      await printed(program, body)
    },
  },
  {
    name: 'their PUSH, our Pull',
    args: ['--push', '-i', '1'], // one that sends once may end before its message has left
    speaks: true,
    prints: false,
    bodies,
    socket: () => new Pull(),
    async talk(socket, _program, body) {
      expect((await (socket as Pull).receive()).equals(body)).toBe(true)
    },
  },
  {
    name: 'their PULL, our Push',
    args: ['--pull'],
    speaks: false,
    prints: true,
    bodies,
    socket: () => new Push(),
    async talk(socket, program, body) {
      await (socket as Push).send(body)
      await printed(program, body)
    },
  },
  {
    name: 'their PUB, our Sub',
    args: ['--pub', '-i', '1'], // nngcat wants whole seconds
    speaks: true,
    prints: false,
    bodies,
    socket: () => new Sub().subscribe(''),
    async talk(socket, _program, body) {
      expect((await (socket as Sub).receive()).equals(body)).toBe(true)
    },
  },
  {
    name: 'their SUB, our Pub',
    args: ['--sub'],
    speaks: false,
    prints: true,
    bodies,
    socket: () => new Pub(),
    async talk(socket, program, body) {
      // Until it is connected, its messages are lost.
      const isHeard = () => program.stdout.length >= asMsgpack(body).length
      while (!isHeard()) {
        await (socket as Pub).send(body)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      await printed(program, body)
    },
  },
]

/** The arguments by which a tool sends a body; files of nothing are none to both. */
function dataOf(body: Buffer, folder: string): string[] {
  if (body.length === 0) return ['-D', '']
  writeFileSync(`${folder}/body`, body)
  return ['-F', `${folder}/body`]
}

/** Rejects when the program complains instead of talking. */
async function complaint(program: Program): Promise<never> {
  const { exitCode, stderr } = await program.ended
  if (exitCode !== 0) throw new Error(`the program has ended with ${exitCode}: ${stderr}`)
  return await new Promise(() => {})
}

function converse(start: (...args: string[]) => Program): void {
  for (const { scheme, free, fixed } of transports) {
    describe.concurrent.each(conversations)(`over ${scheme}: $name`, (conversation) => {
      const { args, speaks, prints, bodies, socket, talk } = conversation

      function begin(place: string[], body: Buffer, folder: string): Program {
        return start(...args, ...(speaks ? dataOf(body, folder) : []), ...(prints ? ['--msgpack'] : []), ...place)
      }

      test.each(bodies)('%s, we are bound', async (_, body) => {
        using folder = temporaryFolder()
        await using ours = socket()
        const { address } = ours.bind(free(folder.path))
        await using program = begin(['--connect', address], body, folder.path)
        await Promise.race([talk(ours, program, body), complaint(program)])
      })

      test.each(bodies)('%s, they are bound', async (_, body) => {
        using folder = temporaryFolder()
        await using ours = socket()
        ours.reconnectInterval = 10
        const address = await fixed(folder.path)
        await using program = begin(['--bind', address], body, folder.path)
        ours.connect(address)
        await Promise.race([talk(ours, program, body), complaint(program)])
      })
    })
  }
}

describeWithOriginal('nanocat of libnanomsg', () => converse(theirs))
// Its --pair means version 1 of the protocol, which is not that of libnanomsg.
describeWithNng('nngcat of NNG', () =>
  converse((...args) => theirsOfNng(...args.map((arg) => (arg === '--pair' ? '--pair0' : arg)))),
)
