/** NODE_DEBUG=nanomsg names what a program in JavaScript has misspelt, and tells what happens to connections. */
import { expect, test } from 'vitest'
import { runProgram } from './support.js'

const program = `
  const { Pull, Push } = require('nanomsg-native')
  class Client extends Push { constructor() { super(); this.sendTimeouts = 1 } }
  const push = new Push({ name: 'out' })
  push.sendTimout = 5
  push.on('conect', () => {})
  push.on('message', () => {})
  push.other = 1
  push.send = () => {}
  new Client().close()
  const pull = new Pull({ name: 'in' })
  push.connect(pull.bind('tcp://127.0.0.1:0').address)
  push.ready().then(() => {
    pull.close()
    push.close()
    console.log(push.sendTimout, push.other, push instanceof require('node:events'))
  })
`

test('misspelt options and events are named, with the one that may be meant and the place', async () => {
  const { stdout, stderr } = await runProgram(program, { env: { ...process.env, NODE_DEBUG: 'nanomsg' } })
  expect(stdout).toBe('5 1 true\n')
  expect(stderr).toMatch(/: Push has no option sendTimout: did you mean sendTimeout\? at .*eval.*\n/)
  expect(stderr).toMatch(/: Client has no option sendTimeouts: did you mean sendTimeout\?/)
  expect(stderr).toContain('Push has no event "conect": did you mean connect?')
  expect(stderr).toContain('Push has no event "message": they are connect, disconnect, reject, failure')
  expect(stderr).not.toMatch(/other|no option send:/)
})

test('connections are told of, with the socket and its name', async () => {
  const { stderr } = await runProgram(program, { env: { ...process.env, NODE_DEBUG: 'nanomsg' } })
  expect(stderr).toMatch(/: Push out: connect tcp:\/\/127\.0\.0\.1:\d+ \(pull\)/)
  expect(stderr).toMatch(/: Pull in: disconnect tcp:\/\/127\.0\.0\.1:\d+ \(closed\)/)
})

test('nothing is told without it', async () => {
  expect((await runProgram(program)).stderr).toBe('')
})
