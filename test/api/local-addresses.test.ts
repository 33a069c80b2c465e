import { Pull, Push, Rep, Req } from 'nanomsg-native'
import { expect, test } from 'vitest'
import { failureOf } from './support'

// Names that are in no file system are Linux's.
const onLinux = test.runIf(process.platform === 'linux')

onLinux('abstract names carry requests and replies', async () => {
  await using rep = new Rep()
  await using req = new Req({ receiveTimeout: 10_000 })
  const address = `abstract://nanomsg%20native%00${process.pid}`
  rep.bind(address)
  req.connect(address)
  await req.send('question')
  expect(String(await rep.receive())).toBe('question')
  await rep.send('answer')
  expect(String(await req.receive())).toBe('answer')
})

onLinux('an endpoint tells the abstract name that the system chose', async () => {
  await using pull = new Pull({ receiveTimeout: 10_000 })
  await using push = new Push()
  const { address } = pull.bind('abstract://')
  expect(address).toMatch(/^abstract:\/\/[0-9a-f]{5}$/)
  push.connect(address)
  await push.send('found')
  expect(String(await pull.receive())).toBe('found')
})

test('what is no descriptor of a stream socket is refused', async () => {
  await using push = new Push()
  expect(await failureOf(() => push.connect('socket://1048575'))).toMatchObject({ code: 'EINVAL', syscall: 'connect' })
})
