// The original and ours exchange messages with sockets of this process, with the same arguments: what each prints, what
// its peer receives, and how it ends is the same.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Bus, Pair, Pub, Pull, Push, Rep, Req, Respondent, type Socket, Sub, Surveyor } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { describeWithOriginal, freePort, oursAs, type Program, temporaryFolder, theirsAs } from './programs.js'

/** The addresses and files of one exchange: nothing else uses them. */
interface Place {
  readonly folder: string
  readonly port: number
  readonly path: string
}

/** Starts the program that is tested. */
type Start = (...args: string[]) => Program

/** Runs an exchange once with the original and once with ours, and expects the same of both. */
async function expectTheSame<Outcome>(
  converse: (start: Start, place: Place) => Promise<Outcome>,
  name = 'nanocat',
): Promise<Outcome> {
  const [original, here] = await Promise.all(
    [theirsAs, oursAs].map(async (startAs) => {
      using folder = temporaryFolder()
      const place = { folder: folder.path, port: await freePort(), path: `${folder.path}/socket` }
      return await converse((...args) => startAs(name, ...args), place)
    }),
  )
  expect(here).toEqual(original)
  return here!
}

async function howItEnds(program: Program) {
  const { exitCode, signal, stdout, stderr } = await program.ended
  return { exitCode, signal, stdout: stdout.toString('latin1'), stderr }
}

/** For programs that would go on for ever. */
async function interrupt(program: Program) {
  program.kill('SIGTERM')
  return await howItEnds(program)
}

async function untilConnected(socket: Socket): Promise<void> {
  while (socket.stats().currentConnections === 0) await new Promise((resolve) => setTimeout(resolve, 5))
}

const END = 'END'
const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
const messages = [
  Buffer.from('6122625c630a0d09007fc3a97e', 'hex'),
  Buffer.alloc(0),
  everyByte,
  Buffer.alloc(70_000, 'ab'),
]

/** The last message, in any format. */
const hasEnd = ({ stdout }: Program) => stdout.includes(END) || stdout.includes('\\x45\\x4e\\x44')

/** Lets the program receive from a PUSH, and ends it when all has arrived. */
async function receiveAll(program: Program, push: Push) {
  await using running = program
  for (const message of messages) await push.send(message)
  await push.send(END)
  await running.until(hasEnd)
  return await interrupt(running)
}

describeWithOriginal('as with the original', () => {
  describe('messages are printed', () => {
    test.each([
      [['--raw']],
      [['--ascii']],
      [['-A']],
      [['--quoted']],
      [['-Q']],
      [['--msgpack']],
      [['--hex']],
      [['--format', 'raw']],
      [['--format=ascii']],
      [['--format', 'quoted']],
      [['--format=msgpack']],
      [['--format', 'hex']],
      [['--form=hex']],
      [['--asc']],
      [['--quo']],
      [['--msg']],
      [['-AQ']],
      [['-QA']],
      [['-qA']],
      [['--silent', '--format=no', '--hex', '--raw', '-Q']],
    ])('with %j', async (format) => {
      const { signal, stdout } = await expectTheSame(async (start, { port }) => {
        await using push = new Push()
        push.bind(`tcp://127.0.0.1:${port}`)
        return await receiveAll(start('--pull', '-l', `${port}`, ...format), push)
      })
      expect(signal).toBe('SIGTERM')
      expect(stdout.length).toBeGreaterThan(70_000)
    })

    test.each([[[]], [['--format', 'no']], [['-A', '--format=no']]])('not at all with %j', async (format) => {
      const { stdout } = await expectTheSame(async (start, { port }) => {
        await using push = new Push()
        push.bind(`tcp://127.0.0.1:${port}`)
        await using program = start('--pull', '-l', `${port}`, ...format, '--recv-timeout', '1')
        await push.send('unseen')
        return await howItEnds(program)
      })
      expect(stdout).toBe('')
    })
  })

  describe('it is bound and connected', () => {
    const url = ({ port }: Place) => `tcp://127.0.0.1:${port}`

    test.each<[string, (place: Place) => string[]]>([
      ['--connect ADDR', (place) => ['--connect', url(place)]],
      ['--connect=ADDR', (place) => [`--connect=${url(place)}`]],
      ['--connect-local PORT', ({ port }) => ['--connect-local', `${port}`]],
      ['--connect-local=PORT', ({ port }) => [`--connect-local=${port}`]],
      ['--connect-lo PORT', ({ port }) => ['--connect-lo', `${port}`]],
      ['-l PORT', ({ port }) => ['-l', `${port}`]],
      ['-lPORT', ({ port }) => [`-l${port}`]],
      ['-qlPORT', ({ port }) => [`-ql${port}`]],
      ['--connect-ipc PATH', ({ path }) => ['--connect-ipc', path]],
      ['--connect-ipc=PATH', ({ path }) => [`--connect-ipc=${path}`]],
      ['--connect-i=PATH', ({ path }) => [`--connect-i=${path}`]],
      ['-x PATH', ({ path }) => ['-x', path]],
      ['-xPATH', ({ path }) => [`-x${path}`]],
      ['-AxPATH', ({ path }) => [`-Ax${path}`]],
    ])('by %s', async (_, endpoint) => {
      await expectTheSame(async (start, place) => {
        await using push = new Push()
        push.bind(url(place))
        push.bind(`ipc://${place.path}`)
        return await receiveAll(start('--pull', '-Q', ...endpoint(place)), push)
      })
    })

    test.each<[string, (place: Place) => string[]]>([
      ['--bind ADDR', (place) => ['--bind', url(place)]],
      ['--bind=ADDR', (place) => [`--bind=${url(place)}`]],
      ['--bind-local PORT', ({ port }) => ['--bind-local', `${port}`]],
      ['--bind-local=PORT', ({ port }) => [`--bind-local=${port}`]],
      ['--bind-l PORT', ({ port }) => ['--bind-l', `${port}`]],
      ['-L PORT', ({ port }) => ['-L', `${port}`]],
      ['-LPORT', ({ port }) => [`-L${port}`]],
      ['--bind-ipc PATH', ({ path }) => ['--bind-ipc', path]],
      ['--bind-ipc=PATH', ({ path }) => [`--bind-ipc=${path}`]],
      ['-X PATH', ({ path }) => ['-X', path]],
      ['-XPATH', ({ path }) => [`-X${path}`]],
      ['both', ({ port, path }) => ['-X', path, '-L', `${port}`]],
      ['one, and connected to another', ({ port, folder }) => ['-x', `${folder}/none`, '-L', `${port}`]],
    ])('by %s', async (_, endpoint) => {
      await expectTheSame(async (start, place) => {
        await using push = new Push({ reconnectInterval: 10 })
        push.connect(endpoint(place).join(' ').includes(place.path) ? `ipc://${place.path}` : url(place))
        return await receiveAll(start('--pull', '-Q', ...endpoint(place)), push)
      })
    })
  })

  describe('what is sent comes from', () => {
    const inFile = Buffer.concat([Buffer.from('file\n'), everyByte])

    test.each<[string, (file: string) => string[], string | Buffer]>([
      ['-D DATA', () => ['-D', 'data'], 'data'],
      ['-DDATA', () => ['-Ddata'], 'data'],
      ['-QDDATA', () => ['-QDdata'], 'data'],
      ['--data DATA', () => ['--data', 'data'], 'data'],
      ['--data=DATA', () => ['--data=da=ta'], 'da=ta'],
      ['--dat DATA', () => ['--dat', 'data'], 'data'],
      ['-D with what looks like an option', () => ['-D', '--pull'], '--pull'],
      ['-D with nothing', () => ['-D', ''], ''],
      ['-D in UTF-8', () => ['-D', 'größer'], 'größer'],
      ['-F PATH', (file) => ['-F', file], inFile],
      ['-FPATH', (file) => [`-F${file}`], inFile],
      ['--file PATH', (file) => ['--file', file], inFile],
      ['--file=PATH', (file) => [`--file=${file}`], inFile],
      ['--fi PATH', (file) => ['--fi', file], inFile],
      ['-F -', () => ['-F', '-'], 'from stdin\n'],
      ['-F-', () => ['-F-'], 'from stdin\n'],
      ['--file -', () => ['--file', '-'], 'from stdin\n'],
      ['--file=-', () => ['--file=-'], 'from stdin\n'],
    ])('%s', async (_, data, expected) => {
      const { asked, exitCode, stdout } = await expectTheSame(async (start, { port, folder }) => {
        const file = join(folder, 'file')
        writeFileSync(file, inFile)
        await using rep = new Rep()
        rep.bind(`tcp://127.0.0.1:${port}`)
        await using program = start('--req', '-l', `${port}`, ...data(file), '-A').input('from stdin\n')
        const asked = (await rep.receive()).toString('latin1')
        await rep.send('answer')
        return { asked, ...(await howItEnds(program)) }
      })
      expect({ asked, exitCode, stdout }).toEqual({
        asked: Buffer.from(expected).toString('latin1'),
        exitCode: 0,
        stdout: 'answer\n',
      })
    })
  })

  /** Each type, by its option and by its name. */
  describe.each([
    ['by its option', (type: string) => [`--${type}`], () => 'nanocat'],
    ['by the name of the program', () => [], (type: string) => `nn_${type}`],
  ])('a socket type that is chosen %s', (_, option, name) => {
    const converse = <Outcome>(type: string, script: (start: Start, port: number) => Promise<Outcome>) =>
      expectTheSame((start, { port }) => script((...args) => start(...option(type), ...args), port), name(type))

    /** A socket of ours that is bound where the program connects to. */
    const bound = <Peer extends Socket>(peer: Peer, port: number) => {
      peer.bind(`tcp://127.0.0.1:${port}`)
      return peer
    }

    test('pull: prints what is pushed', async () => {
      const { stdout } = await converse('pull', async (start, port) => {
        await using push = bound(new Push(), port)
        return await receiveAll(start(`-l${port}`, '--raw'), push)
      })
      expect(stdout.endsWith(END)).toBe(true)
    })

    test('push: sends', async () => {
      const result = await converse('push', async (start, port) => {
        await using pull = bound(new Pull(), port)
        // Again and again: the original does not see its only message off.
        await using program = start(`-l${port}`, '-Dwork', '-i', '.05')
        const heard = [await pull.receive(), await pull.receive()].map(String)
        return { heard, ...(await interrupt(program)) }
      })
      expect(result).toMatchObject({ heard: ['work', 'work'], stdout: '', stderr: '' })
    })

    test('pub: sends', async () => {
      const result = await converse('pub', async (start, port) => {
        await using sub = bound(new Sub(), port).subscribe('ne')
        await using program = start(`-l${port}`, '-Dnews', '-i', '0.05')
        return { heard: String(await sub.receive()), ...(await interrupt(program)) }
      })
      expect(result).toMatchObject({ heard: 'news', signal: 'SIGTERM' })
    })

    test.each([
      [[], 'a1\nb1\nc1\na2\naEND\n'],
      [['--subscribe', 'a'], 'a1\na2\naEND\n'],
      [['--subscribe=b', '--subscribe', 'a'], 'a1\nb1\na2\naEND\n'],
      [['--subs', 'aE'], 'aEND\n'],
      [['--subscribe=', '--subscribe=zzz'], 'a1\nb1\nc1\na2\naEND\n'],
    ])('sub: with %j prints what it has subscribed to', async (subscriptions, expected) => {
      const { stdout } = await converse('sub', async (start, port) => {
        await using pub = bound(new Pub(), port)
        await using program = start(`-l${port}`, '-A', ...subscriptions)
        await untilConnected(pub)
        for (const news of ['a1', 'b1', 'c1', 'a2', `a${END}`]) await pub.send(news)
        await program.until(hasEnd)
        return await interrupt(program)
      })
      expect(stdout).toBe(expected)
    })

    test('req: asks, prints the reply, and ends', async () => {
      const result = await converse('req', async (start, port) => {
        await using rep = bound(new Rep(), port)
        await using program = start(`-l${port}`, '-D', 'question', '-A')
        const asked = String(await rep.receive())
        await rep.send('answer')
        return { asked, ...(await howItEnds(program)) }
      })
      expect(result).toMatchObject({ asked: 'question', exitCode: 0, stdout: 'answer\n', stderr: '' })
    })

    test('req: with an interval asks again', async () => {
      const { asked, stdout } = await converse('req', async (start, port) => {
        await using rep = bound(new Rep(), port)
        await using program = start(`-l${port}`, '-D', 'question', '-A', '--interval=0.1')
        const asked: string[] = []
        for (const answer of ['1', '2', '3']) {
          asked.push(String(await rep.receive()))
          await rep.send(answer)
        }
        await program.until(({ stdout }) => stdout.includes('3\n'))
        return { asked, ...(await interrupt(program)) }
      })
      expect({ asked, stdout }).toEqual({ asked: ['question', 'question', 'question'], stdout: '1\n2\n3\n' })
    })

    test('rep: prints the question, and answers', async () => {
      const result = await converse('rep', async (start, port) => {
        await using req = bound(new Req(), port)
        await using program = start(`-l${port}`, '-D', 'answer', '-A')
        await req.send('question')
        const answer = String(await req.receive())
        await program.until(({ stdout }) => stdout.includes('question\n'))
        return { answer, ...(await interrupt(program)) }
      })
      expect(result).toMatchObject({ answer: 'answer', stdout: 'question\n', signal: 'SIGTERM' })
    })

    test('surveyor: asks, prints the answers of a second, and ends', async () => {
      const result = await converse('surveyor', async (start, port) => {
        await using respondent = bound(new Respondent(), port)
        await using program = start(`-l${port}`, '-D', 'question', '-A', '--delay', '0.3')
        const asked = String(await respondent.receive())
        await respondent.send('answer')
        return { asked, ...(await howItEnds(program)) }
      })
      expect(result).toMatchObject({ asked: 'question', exitCode: 0, stdout: 'answer\n', stderr: '' })
    })

    test('respondent: prints the question, and answers', async () => {
      const result = await converse('respondent', async (start, port) => {
        await using surveyor = bound(new Surveyor({ deadline: 10_000 }), port)
        await using program = start(`-l${port}`, '-D', 'answer', '-A')
        await untilConnected(surveyor)
        await surveyor.send('question')
        const answer = String(await surveyor.receive())
        await program.until(({ stdout }) => stdout.includes('question\n'))
        return { answer, ...(await interrupt(program)) }
      })
      expect(result).toMatchObject({ answer: 'answer', stdout: 'question\n' })
    })

    test.each(['bus', 'pair'])(
      '%s: with data says it, prints what it hears, and ends when its time is over',
      async (type) => {
        const result = await converse(type, async (start, port) => {
          await using peer = bound(type === 'bus' ? new Bus() : new Pair(), port)
          await using program = start(`-l${port}`, '-D', 'hello', '-A', '-d', '0.3', '--recv-timeout', '1')
          const heard = String(await peer.receive())
          await peer.send('yourself')
          return { heard, ...(await howItEnds(program)) }
        })
        expect(result).toMatchObject({ heard: 'hello', exitCode: 0, stdout: 'yourself\n', stderr: '' })
      },
    )

    test.each(['bus', 'pair', 'rep', 'respondent'])('%s: without data prints what it hears', async (type) => {
      const peers = { bus: Bus, pair: Pair, rep: Req, respondent: Surveyor } as const
      const { stdout } = await converse(type, async (start, port) => {
        await using peer = bound(new peers[type as keyof typeof peers](), port)
        await using program = start(`-l${port}`, '-A')
        await untilConnected(peer)
        await peer.send('hello')
        await program.until(({ stdout }) => stdout.includes('hello\n'))
        return await interrupt(program)
      })
      expect(stdout).toBe('hello\n')
    })
  })

  describe('it takes its time', () => {
    test.each([
      [['--recv-timeout', '1']],
      [['--recv-timeout=1.0']],
      [['--recv-t', '1e0']],
      [['--recv-timeout', '0x1']],
    ])('with %j', async (timeout) => {
      await expectTheSame(async (start, { port }) => {
        const started = performance.now()
        const result = await howItEnds(start('--pull', `-L${port}`, ...timeout))
        return {
          ...result,
          waitsLongEnough: performance.now() - started > 995,
          waitsTooLong: performance.now() - started > 5000,
        }
      })
    })

    test.each([[['-d', '0.4']], [['-d.4']], [['--delay=0.4']]])('with %j', async (delay) => {
      const { waitsLongEnough } = await expectTheSame(async (start, { port }) => {
        await using pull = new Pull()
        pull.bind(`tcp://127.0.0.1:${port}`)
        const started = performance.now()
        await using program = start('--push', '-Dx', `-l${port}`, '-i', '0.05', ...delay)
        await pull.receive()
        return { waitsLongEnough: performance.now() - started > 395, ...(await interrupt(program)) }
      })
      expect(waitsLongEnough).toBe(true)
    })

    test.each([[['-i', '0.3']], [['-i.3']], [['--interval', '3e-1']], [['--int=0.3']]])('with %j', async (interval) => {
      const { waitsLongEnough } = await expectTheSame(async (start, { port }) => {
        await using pull = new Pull()
        pull.bind(`tcp://127.0.0.1:${port}`)
        await using program = start('--push', '-Dx', `-l${port}`, ...interval)
        await pull.receive()
        const started = performance.now()
        await pull.receive()
        await pull.receive()
        return { waitsLongEnough: performance.now() - started > 500, ...(await interrupt(program)) }
      })
      expect(waitsLongEnough).toBe(true)
    })
  })

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('it ends by %s', async (signal) => {
    const result = await expectTheSame(async (start, { port }) => {
      await using push = new Push()
      push.bind(`tcp://127.0.0.1:${port}`)
      await using program = start('--pull', `-l${port}`, '-A')
      await push.send('there')
      await program.until(({ stdout }) => stdout.includes('there\n'))
      program.kill(signal)
      return await howItEnds(program)
    })
    expect(result).toEqual({ exitCode: null, signal, stdout: 'there\n', stderr: '' })
  })
})
