/** Events of connections that are encrypted. */
import { Pull, Push, type SocketEvent } from 'nanomsg-native'
import { expect, test } from 'vitest'
import { describeTls, ofClient, ofServer } from './certificates.js'

async function next<Type extends SocketEvent['type']>(events: AsyncIterator<SocketEvent>, type: Type) {
  for (;;) {
    const { value, done } = await events.next()
    if (done) throw new Error(`the events have ended before ${type}`)
    if (value.type === type) return value as SocketEvent & { type: Type }
  }
}

describeTls.each(['tls+tcp://127.0.0.1:0', 'wss://127.0.0.1:0/path'])('at %s', (address) => {
  const scheme = address.split(':')[0]

  test('both sides are told whom they are connected with, and that we leave', async () => {
    await using pull = new Pull({ tls: ofServer })
    await using push = new Push({ tls: ofClient })
    const ofPull = pull.events()
    const ofPush = push.events()
    const endpoint = push.connect(pull.bind(address).address)
    const accepted = await next(ofPull, 'connect')
    const connected = await next(ofPush, 'connect')
    expect(accepted.remoteAddress).toBe(connected.localAddress)
    expect(accepted.localAddress).toBe(connected.remoteAddress)
    expect(accepted.remoteAddress).toMatch(new RegExp(`^${scheme?.replace('+', '\\+')}://127\\.0\\.0\\.1:\\d+$`))
    endpoint.close()
    expect(await next(ofPush, 'disconnect')).toMatchObject({ pipe: connected.pipe, reason: 'closed' })
    expect(await next(ofPull, 'disconnect')).toMatchObject({ pipe: accepted.pipe, reason: 'left' })
  })

  test('a peer that does not accept our certificate is rejected, and rejects us', async () => {
    await using pull = new Pull({ tls: ofServer })
    await using push = new Push({ tls: { serverName: 'localhost' } })
    const ofPull = pull.events()
    const ofPush = push.events()
    const endpoint = push.connect(pull.bind(address).address)
    expect(await next(ofPush, 'reject')).toMatchObject({
      address: endpoint.address,
      protocol: undefined,
      error: { code: 'EACCES' },
    })
    const { error, remoteAddress } = await next(ofPull, 'reject')
    expect(error.syscall).toBe('reject')
    expect(remoteAddress).toMatch(/:\/\/127\.0\.0\.1:\d+$/)
  })
})
