/** Requests, surveys and their answers side by side on one socket. */
import { type NanomsgError, Rep, Req, Respondent, Surveyor } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll, failureOf, runProgram, transports, turn, until } from './support.js'

const long = Buffer.alloc(100_000, 'long ')

/** A promise and what settles it. */
function gate() {
  let open!: () => void
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

describe.each(transports)('over $scheme', ({ address }) => {
  test('1,000 requests are on their way at a time, and each gets its reply', async () => {
    await using req = new Req()
    await using rep = new Rep()
    connectAll(address(), rep, req)
    void rep.serve((body) => `to ${body}`)
    const replies = await Promise.all(Array.from({ length: 1000 }, (_, i) => req.request(`request ${i}`)))
    expect(replies.map(String)).toEqual(Array.from({ length: 1000 }, (_, i) => `to request ${i}`))
  })

  test('long ones are among them', async () => {
    await using req = new Req()
    await using rep = new Rep()
    connectAll(address(), rep, req)
    void rep.serve((body) => body)
    const bodies = [long, 'short', Buffer.alloc(0), long.subarray(1), 'last']
    const replies = await Promise.all(bodies.map((body) => req.request(body)))
    expect(replies.map((reply, i) => reply.equals(Buffer.from(bodies[i] as Buffer)))).toEqual(bodies.map(() => true))
  })

  test('many replies at a time wait for a peer that is slow, and none is lost', async () => {
    await using req = new Req()
    await using rep = new Rep({ sendBuffer: 1024 })
    connectAll(address(), rep, req)
    void rep.serve((body) => body, { concurrency: 3000 })
    const bodies = Array.from({ length: 3000 }, (_, i) => Buffer.alloc(1000, `${i} `))
    const replies = await Promise.all(bodies.map((body) => req.request(body)))
    expect(replies.every((reply, i) => reply.equals(bodies[i]!))).toBe(true)
  })

  test('replies come in any order', async () => {
    await using req = new Req()
    await using rep = new Rep()
    connectAll(address(), rep, req)
    const slow = gate()
    void rep.serve(async (body) => {
      if (String(body) === 'slow') await slow.opened
      return body
    })
    const order: string[] = []
    const first = req.request('slow').then((reply) => order.push(String(reply)))
    await req.request('quick').then((reply) => order.push(String(reply)))
    slow.open()
    await first
    expect(order).toEqual(['quick', 'slow'])
  })

  test('surveys go on side by side', async () => {
    await using surveyor = new Surveyor()
    await using a = new Respondent()
    await using b = new Respondent()
    connectAll(address(), surveyor, a, b)
    void a.serve((body) => `a: ${body}`)
    void b.serve((body) => `b: ${body}`)
    // Until both are connected, not both answer.
    for (let answers = 0; answers < 2; ) {
      answers = 0
      for await (const _answer of surveyor.survey('sync', { deadline: 100 })) if (++answers === 2) break
    }
    const ask = async (question: string) => {
      const answers: string[] = []
      for await (const answer of surveyor.survey(question)) {
        answers.push(String(answer))
        if (answers.length === 2) break
      }
      return answers.sort()
    }
    const questions = Array.from({ length: 50 }, (_, i) => `question ${i}`)
    expect(await Promise.all(questions.map(ask))).toEqual(questions.map((each) => [`a: ${each}`, `b: ${each}`]))
  })
})

describe('a request', () => {
  test('waits for a Rep that comes later', async () => {
    await using req = new Req()
    await using rep = new Rep()
    const replies = Promise.all([req.request('one'), req.request('two')])
    connectAll('inproc://later', rep, req)
    void rep.serve((body) => body)
    expect((await replies).map(String)).toEqual(['one', 'two'])
  })

  test('times out, and its late reply disturbs no other', async () => {
    await using req = new Req()
    await using rep = new Rep()
    connectAll('tcp://127.0.0.1:0', rep, req)
    const late = gate()
    void rep.serve(async (body) => {
      if (String(body) === 'late') await late.opened
      return body
    })
    const error = await failureOf(() => req.request('late', { timeout: 20 }))
    expect([error.code, error.syscall]).toEqual(['ETIMEDOUT', 'request'])
    late.open()
    for (let i = 0; i < 10; i++) expect(String(await req.request(`${i}`))).toBe(`${i}`)
  })

  test('has the timeout of the socket unless it names one', async () => {
    await using req = new Req({ receiveTimeout: 10 })
    expect((await failureOf(() => req.request('nobody'))).code).toBe('ETIMEDOUT')
    const forever = req.request('nobody', { timeout: -1 })
    expect((await failureOf(() => req.request('nobody', { timeout: 0 }))).code).toBe('ETIMEDOUT')
    const closed = failureOf(() => forever)
    await req.close()
    expect((await closed).code).toBe('EBADF')
  })

  test('is given up by a signal, before or after it was sent', async () => {
    await using req = new Req()
    const reason = new Error('enough')
    await expect(req.request('x', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const request = req.request('x', { signal: controller.signal })
    controller.abort(reason)
    await expect(request).rejects.toBe(reason)
  })

  test('is sent again after `retry` milliseconds, and the first reply counts', async () => {
    await using req = new Req()
    await using silent = new Rep()
    await using rep = new Rep()
    connectAll('inproc://silent', silent, req)
    const request = req.request('anybody?', { retry: 10 })
    await silent.receive() // and never answers
    req.connect(rep.bind('inproc://speaking').address)
    void rep.serve((body) => `heard ${body}`)
    expect(String(await request)).toBe('heard anybody?')
  })

  test('is sent again after the resend interval', async () => {
    await using req = new Req({ resendInterval: 10 })
    await using rep = new Rep()
    connectAll('inproc://forgetful', rep, req)
    let heard = 0
    void rep.serve((body) => (++heard > 3 ? body : undefined))
    expect(String(await req.request('again'))).toBe('again')
    expect(heard).toBe(4)
  })

  test('is sent to another Rep when its connection breaks', async () => {
    await using req = new Req({ reconnectInterval: 10 })
    const dying = new Rep()
    await using rep = new Rep()
    connectAll('tcp://127.0.0.1:0', dying, req)
    const requests = [req.request('one'), req.request('two')]
    await dying.receive()
    await dying.receive()
    req.connect(rep.bind('tcp://127.0.0.1:0').address)
    void rep.serve((body) => `saved ${body}`)
    await dying.close()
    expect((await Promise.all(requests)).map(String)).toEqual(['saved one', 'saved two'])
  })

  test('goes on beside one that was made by send()', async () => {
    await using req = new Req()
    await using rep = new Rep()
    connectAll('inproc://beside-request', rep, req)
    void rep.serve((body) => body)
    const other = req.request('other')
    await req.send('classic')
    expect(String(await req.receive())).toBe('classic')
    expect(String(await other)).toBe('other')
    await req.send('classic again')
    await req.request('in between')
    expect(String(await req.receive())).toBe('classic again')
    expect((await failureOf(() => req.receive())).code).toBe('EFSM')
  })

  test.each([
    [[5], 'the body'],
    [['x', 5], 'options'],
    [['x', { timeout: 'soon' }], 'timeout'],
    [['x', { retry: 0 }], 'retry'],
    [['x', { signal: 'stop' }], 'signal'],
  ])('with wrong arguments is refused: %j', async (args, name) => {
    await using req = new Req()
    const error = await failureOf(() => Reflect.apply(req.request, req, args))
    expect(error.code).toBe('EINVAL')
    expect(error.message).toContain(name)
  })

  test('on a closed socket fails with EBADF', async () => {
    const req = new Req()
    await req.close()
    expect((await failureOf(() => req.request('x'))).code).toBe('EBADF')
  })

  test('keeps the process alive until it is answered, and no longer', async () => {
    const { exitCode, stdout } = await runProgram(`
      const { Req, Rep } = require('nanomsg-native')
      const req = new Req()
      const rep = new Rep()
      req.connect(rep.bind('tcp://127.0.0.1:0').address)
      rep.unref()
      void rep.serve(async (body) => body)
      req.request('x').then((reply) => console.log(String(reply)))
    `)
    expect([exitCode, stdout]).toEqual([0, 'x\n'])
  })
})

describe('serving', () => {
  test('works on no more questions at a time than `concurrency` says', async () => {
    await using req = new Req()
    await using rep = new Rep()
    connectAll('tcp://127.0.0.1:0', rep, req)
    let active = 0
    let most = 0
    void rep.serve(
      async (body) => {
        most = Math.max(most, ++active)
        await turn()
        active--
        return body
      },
      { concurrency: 3 },
    )
    await Promise.all(Array.from({ length: 100 }, (_, i) => req.request(`${i}`)))
    expect(most).toBe(3)
  })

  test('ends with the first error when it shall', async () => {
    await using req = new Req()
    await using rep = new Rep()
    connectAll('inproc://error', rep, req)
    const reason = new Error('not today')
    const serving = rep.serve(
      () => {
        throw reason
      },
      { stopOnError: true },
    )
    const unanswered = failureOf(() => req.request('x', { timeout: 50 }))
    await expect(serving).rejects.toBe(reason)
    expect((await unanswered).code).toBe('ETIMEDOUT')
    void rep.serve((body) => body)
    expect(String(await req.request('y'))).toBe('y')
  })

  test('goes on after errors that onError hears of, and may answer', async () => {
    await using req = new Req()
    await using rep = new Rep()
    connectAll('inproc://errors', rep, req)
    void rep.serve(
      async (body) => {
        if (String(body) === 'bad') throw new Error('bad question')
        return body
      },
      { onError: (error, body) => `${body}: ${(error as Error).message}` },
    )
    expect(String(await req.request('bad'))).toBe('bad: bad question')
    expect(String(await req.request('good'))).toBe('good')
  })

  test('an answer of a wrong type is an error', async () => {
    await using req = new Req()
    await using rep = new Rep()
    connectAll('inproc://wrong-answer', rep, req)
    const serving = failureOf(() => rep.serve(() => 5 as never, { stopOnError: true }))
    void req.request('x').catch(() => {})
    const error = await serving
    expect(error.code).toBe('EINVAL')
    expect(error.message).toContain('the answer')
  })

  test('is ended by a signal when the questions at hand are answered', async () => {
    await using req = new Req()
    await using rep = new Rep()
    connectAll('inproc://signal', rep, req)
    const controller = new AbortController()
    const hand = gate()
    let heard = 0
    const serving = rep.serve(
      async (body) => {
        heard++
        await hand.opened
        return body
      },
      { signal: controller.signal },
    )
    const request = req.request('at hand')
    await until(() => heard === 1)
    controller.abort()
    hand.open()
    expect(String(await request)).toBe('at hand')
    await serving
    const later = req.request('later')
    await turn()
    expect(heard).toBe(1)
    void rep.serve((body) => `${body}, served again`)
    expect(String(await later)).toBe('later, served again')
  })

  test('ends when the socket is closed', async () => {
    const rep = new Rep()
    rep.bind('inproc://closing')
    const serving = rep.serve((body) => body)
    await rep.close()
    await serving
  })

  test.each([
    [[], 'handler'],
    [[() => '', null], 'options'],
    [[() => '', { concurrency: 0 }], 'concurrency'],
    [[() => '', { onError: 5 }], 'onError'],
  ])('with wrong arguments is refused: %j', async (args, name) => {
    await using rep = new Rep()
    const error = await failureOf(() => Reflect.apply(rep.serve, rep, args))
    expect(error.code).toBe('EINVAL')
    expect(error.message).toContain(name)
  })

  test('is not begun twice', async () => {
    await using rep = new Rep()
    void rep.serve((body) => body)
    expect((await failureOf(() => rep.serve((body) => body))).code).toBe('EINVAL')
  })
})

test('an answer to no request fails at once, also beside answers of the same tick', async () => {
  await using rep = new Rep()
  await using req = new Req()
  connectAll('inproc://beside-answers', rep, req)
  let failure: Promise<NanomsgError> | undefined
  void rep.serve(async (question) => {
    if (String(question) === 'second') {
      for (let i = 0; i < 50; i++) await undefined // the first is answered meanwhile
      failure = failureOf(() => rep.send(Buffer.from('to whom?')))
    }
    return question
  })
  await Promise.all([req.request('first'), req.request('second')])
  expect((await failure!).code).toBe('EFSM')
})

describe('a survey', () => {
  test('ends at its deadline, also without an answer', async () => {
    await using surveyor = new Surveyor()
    surveyor.bind('inproc://nobody')
    const answers: Buffer[] = []
    for await (const answer of surveyor.survey('anybody?', { deadline: 20 })) answers.push(answer)
    expect(answers).toEqual([])
  })

  test('is ended by a signal, with its reason', async () => {
    await using surveyor = new Surveyor()
    const controller = new AbortController()
    const reason = new Error('enough')
    const survey = surveyor.survey('x', { signal: controller.signal })
    const answer = survey.next()
    controller.abort(reason)
    await expect(answer).rejects.toBe(reason)
    expect(await survey.next()).toEqual({ value: undefined, done: true })
    expect(() => surveyor.survey('x', { signal: controller.signal })).toThrow(reason)
  })

  test('ends when the socket is closed', async () => {
    const surveyor = new Surveyor()
    const answer = surveyor.survey('x').next()
    await surveyor.close()
    expect(await answer).toEqual({ value: undefined, done: true })
  })

  test('goes on beside one that was made by send()', async () => {
    await using surveyor = new Surveyor({ deadline: 5000 })
    await using respondent = new Respondent()
    connectAll('inproc://beside', surveyor, respondent)
    void respondent.serve((body) => body)
    const survey = surveyor.survey('side')
    await surveyor.send('classic')
    expect(String(await surveyor.receive())).toBe('classic')
    expect(String((await survey.next()).value)).toBe('side')
  })

  test.each([
    [[5], 'the question'],
    [['x', { deadline: -1 }], 'deadline'],
    [['x', { signal: 5 }], 'signal'],
  ])('with wrong arguments is refused: %j', async (args, name) => {
    await using surveyor = new Surveyor()
    const error = await failureOf(() => Reflect.apply(surveyor.survey, surveyor, args))
    expect(error.code).toBe('EINVAL')
    expect(error.message).toContain(name)
  })
})
