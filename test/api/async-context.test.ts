/** The context of AsyncLocalStorage in which handlers and listeners run: that in which they were handed over. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { Pull, Push, Rep, Req, Respondent, Surveyor } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll } from './support.js'

const context = new AsyncLocalStorage<string>()

describe('a handler of serve() runs in the context of serve()', () => {
  test('of a Rep, before and after it waits, and in onError', async () => {
    await using rep = new Rep()
    await using req = new Req()
    const seen: unknown[] = []
    context.run('server', () => {
      void rep.serve(
        async (body) => {
          seen.push(context.getStore())
          await null
          seen.push(context.getStore())
          if (String(body) === 'bad') throw new Error('bad')
          return body
        },
        {
          onError: () => {
            seen.push(context.getStore())
            return 'failed'
          },
        },
      )
    })
    connectAll('tcp://127.0.0.1:0', rep, req)
    const reply = await context.run('client', () => req.request('good'))
    expect([String(reply), ...seen.splice(0)]).toEqual(['good', 'server', 'server'])
    await context.run('client', () => req.request('bad'))
    expect(seen).toEqual(['server', 'server', 'server'])
  })

  test('of a Respondent', async () => {
    await using respondent = new Respondent()
    await using surveyor = new Surveyor()
    context.run('server', () => void respondent.serve(() => context.getStore()))
    connectAll('tcp://127.0.0.1:0', surveyor, respondent)
    await surveyor.ready()
    for await (const answer of surveyor.survey('?', { deadline: 5000 })) {
      expect(String(answer)).toBe('server')
      break
    }
  })
})

describe('a listener runs in the context in which it was added', () => {
  test.each(['on', 'once', 'addListener', 'prependListener', 'prependOnceListener'] as const)(
    'by %s()',
    async (add) => {
      await using pull = new Pull()
      await using push = new Push()
      const seen = new Promise((resolve) => {
        context.run('listener', () => pull[add]('connect', () => resolve(context.getStore())))
      })
      context.run('other', () => connectAll('tcp://127.0.0.1:0', pull, push))
      expect(await seen).toBe('listener')
    },
  )

  test('and is the listener that was added where listeners are listed and removed', () => {
    const pull = new Pull()
    const listener = () => {}
    pull.on('connect', listener).once('connect', listener)
    expect(pull.listeners('connect')).toEqual([listener, listener])
    expect(pull.listenerCount('connect', listener)).toBe(2)
    pull.off('connect', listener)
    pull.off('connect', listener)
    expect(pull.listenerCount('connect')).toBe(0)
    pull.on('connect', listener).removeAllListeners()
    expect(pull.listenerCount('connect')).toBe(0)
    expect(() => pull.on('connect', 'no function' as never)).toThrow(TypeError)
    expect(() => pull.once('connect', undefined as never)).toThrow(TypeError)
    void pull.close()
  })

  test('once means once, also where a listener before it emits the same event', () => {
    const pull = new Pull()
    let count = 0
    let isInside = false
    pull.on('connect', () => {
      if (isInside) return
      isInside = true
      pull.emit('connect', 'inner' as never)
    })
    pull.once('connect', () => count++)
    pull.emit('connect', 'outer' as never)
    expect(count).toBe(1)
    void pull.close()
  })

  test('once means once', () => {
    const pull = new Pull()
    let count = 0
    pull.once('connect', function (this: unknown, event) {
      expect(this).toBe(pull)
      expect(event).toBe('event')
      count++
      pull.emit('connect', 'again' as never)
    })
    pull.emit('connect', 'event' as never)
    pull.emit('connect', 'event' as never)
    expect([count, pull.listenerCount('connect')]).toEqual([1, 0])
    void pull.close()
  })
})
