/** Many calls that one signal may end. */
import { getEventListeners } from 'node:events'
import { Pull, Push, Rep, Req, Surveyor } from 'nanomsg-native'
import { expect, test } from 'vitest'
import { connectAll } from './support.js'

test('calls of many sockets with one signal listen to it once, and all of them end', async () => {
  const controller = new AbortController()
  const { signal } = controller
  const sockets = { pull: new Pull(), push: new Push(), req: new Req(), rep: new Rep(), surveyor: new Surveyor() }
  const { pull, push, req, rep, surveyor } = sockets
  const served = rep.serve((body) => body, { signal })
  const events = pull.events({ signal })
  const ends = [
    ...Array.from({ length: 20 }, () => pull.receive({ signal })),
    ...Array.from({ length: 20 }, () => push.send('x', { signal })),
    ...Array.from({ length: 20 }, () => req.request('x', { signal })),
    ...Array.from({ length: 20 }, () => surveyor.survey('x', { signal, deadline: 60000 }).next()),
    events.next(),
  ].map((call) => call.catch((error: unknown) => error))
  expect(getEventListeners(signal, 'abort').length).toBe(1)
  controller.abort('enough')
  expect(new Set(await Promise.all(ends))).toEqual(new Set(['enough']))
  await served
  expect(getEventListeners(signal, 'abort').length).toBe(0)
  await Promise.all(Object.values(sockets).map((socket) => socket.close()))
})

test('calls that have ended leave nothing at the signal', async () => {
  const { signal } = new AbortController()
  await using rep = new Rep()
  await using req = new Req()
  connectAll('tcp://127.0.0.1:0', rep, req)
  void rep.serve((body) => body)
  await Promise.all(Array.from({ length: 20 }, () => req.request('x', { signal })))
  expect(getEventListeners(signal, 'abort').length).toBe(0)
})
