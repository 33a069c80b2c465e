/** Programs that load the package again and again, and those that end with messages which were gathered. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { describeNodes } from '../support/nodes.js'
import { runProgram } from './support.js'

interface Growth {
  heap: number
  rss: number
  descriptors: number
  listeners: number
  received: string[]
}

const MIB = 1024 * 1024

describeNodes('a program that loads the package 200 times', ({ path }) => {
  test('keeps nothing of the former loads but the sockets that are open', async () => {
    const { stdout } = await promisify(execFile)(path, ['--expose-gc', join(__dirname, 'loads.cjs')])
    const { heap, rss, descriptors, listeners, received } = JSON.parse(stdout) as Growth
    expect(heap).toBeLessThan(3 * MIB)
    // Node.js itself takes 40 MiB for the compiler's work.
    expect(rss).toBeLessThan(64 * MIB)
    expect(descriptors).toBeLessThanOrEqual(0)
    expect(listeners).toBe(1)
    expect(received).toEqual(['message 0', 'message 1', 'message 2'])
  }, 60_000)

  test('and a Worker that exits delivers what it has sent in its last turn', async () => {
    const { stdout } = await runProgram(
      `const { Pull, Push } = require('nanomsg-native')
      const { Worker } = require('node:worker_threads')
      const pull = new Pull()
      const { address } = pull.bind('tcp://127.0.0.1:0')
      new Worker(\`
        const { Push } = require('nanomsg-native')
        const push = new Push()
        push.connect('\${address}')
        push.send('0').then(() => {
          process.on('exit', () => { for (let i = 4; i < 7; i++) push.trySend(String(i)) })
          for (let i = 1; i < 4; i++) push.trySend(String(i))
          process.exit()
        })\`, { eval: true })
      ;(async () => {
        const received = []
        while (received.length < 7) received.push(String(await pull.receive({ timeout: 10_000 })))
        console.log(received.join(' '))
        process.exit()
      })()`,
      { node: path },
    )
    expect(stdout).toBe('0 1 2 3 4 5 6\n')
  })
})

test('sockets of many loads share one listener of exit, and all of them deliver what was sent before and in it', async () => {
  const { stdout, stderr } = await runProgram(`
    const { spawn } = require('node:child_process')
    const sending = async (address) => {
      const pushes = []
      for (let i = 0; i < 20; i++) {
        for (const file of Object.keys(require.cache)) if (/dist/.test(file)) delete require.cache[file]
        const { Push } = require('nanomsg-native')
        const push = new Push()
        push.connect(address)
        await push.send('first')
        pushes.push(push)
      }
      console.log(process.listenerCount('exit'))
      process.on('exit', () => { for (const push of pushes) for (let i = 0; i < 5; i++) push.trySend('last') })
      for (const push of pushes) for (let i = 0; i < 5; i++) push.send('more')
      process.exit()
    }
    const receiving = async () => {
      const { Pull } = require('nanomsg-native')
      const pull = new Pull()
      const { address } = pull.bind('tcp://127.0.0.1:0')
      spawn(process.execPath, [...process.execArgv, '-e', \`(\${sending})('\${address}')\`], { stdio: 'inherit' })
      for (let i = 0; i < 20 * 11; i++) await pull.receive({ timeout: 10_000 })
      console.log('all')
      await pull.close()
      console.log(process.listenerCount('exit'))
    }
    receiving()`)
  expect([stdout, stderr]).toEqual(['1\nall\n0\n', ''])
})

/** For programs that take all descriptors, and say of calls whether they fail as those of the package do. */
const SHORTAGE = `
  const { openSync, closeSync } = require('node:fs')
  const nn = require('nanomsg-native')
  const taken = []
  const fill = () => { try { for (;;) taken.push(openSync('/dev/null')) } catch {} }
  const attempt = (call) => {
    try { return call() } catch (error) {
      const { code, errno, syscall, message } = error
      console.log(error instanceof nn.NanomsgError, code, typeof errno, syscall, /Close|raise/.test(message))
    }
  }`

test.each(['Pair', 'Bus', 'Req', 'Rep', 'Pub', 'Sub', 'Push', 'Pull', 'Surveyor', 'Respondent'])(
  'a %s that gets no descriptors fails, and the next one works when there are some',
  async (type) => {
    const { stdout, stderr } = await runProgram(`
    ${SHORTAGE}
    for (let free = 0; free < 3; free++) {
      fill()
      for (let i = 0; i < free; i++) closeSync(taken.pop())
      attempt(() => new nn.${type}())?.close()
    }
    for (const each of taken) closeSync(each)
    const socket = new nn.${type}()
    socket.bind('tcp://127.0.0.1:0')
    socket.close().then(() => console.log('closed'))`)
    expect([stdout, stderr]).toEqual([`${'true EMFILE number socket true\n'.repeat(3)}closed\n`, ''])
  },
)

test('addresses that take files of the package fail as all do where no descriptor is left', async () => {
  const { stdout, stderr } = await runProgram(`
    ${SHORTAGE}
    nn.registerTransport('own', { connect: () => new Promise(() => {}), listen: () => ({ close() {} }) })
    const pair = new nn.Pair()
    fill()
    attempt(() => pair.connect('foo://x'))
    attempt(() => pair.bind('foo://x'))
    attempt(() => pair.bind('tls+tcp://127.0.0.1:0'))
    attempt(() => pair.connect('tls+tcp://nothing'))
    attempt(() => pair.connect('own://x'))
    attempt(() => pair.bind('own://x'))
    for (const each of taken) closeSync(each)
    pair.bind('own://x')
    pair.close().then(() => console.log('closed'))`)
  expect([stdout.split('\n'), stderr]).toEqual([
    [
      'true EPROTONOSUPPORT number connect false',
      'true EPROTONOSUPPORT number bind false',
      'true EINVAL number bind false',
      'true EINVAL number connect false',
      'true EMFILE number connect true',
      'true EMFILE number bind true',
      'closed',
      '',
    ],
    '',
  ])
})

test('sockets go on after the cache of modules was cleared, and fail with the errors they had', async () => {
  const { stdout, stderr } = await runProgram(`
    const { NanomsgError, Rep, Req, Respondent, Surveyor } = require('nanomsg-native')
    const [req, rep, surveyor, respondent] = [new Req(), new Rep(), new Surveyor(), new Respondent()]
    const isOurs = (file) => /dist/.test(file)
    for (const file of Object.keys(require.cache).filter(isOurs)) delete require.cache[file]
    const show = (error) => console.log(error instanceof NanomsgError, error.code)
    const main = async () => {
      req.connect(rep.bind('tcp://127.0.0.1:0').address)
      rep.serve((body) => body)
      console.log(String(await req.request('answered')))
      await req.request('late', { timeout: -2 }).catch(show)
      await rep.serve('no handler').catch(show)
      await respondent.serve('no handler').catch(show)
      try { surveyor.survey('asked', { deadline: 'late' }) } catch (error) { show(error) }
      console.log(Object.keys(require.cache).filter(isOurs).length)
      await Promise.all([req, rep, surveyor, respondent].map((socket) => socket.close()))
    }
    main()`)
  expect([stdout, stderr]).toEqual([`answered\n${'true EINVAL\n'.repeat(4)}0\n`, ''])
})
