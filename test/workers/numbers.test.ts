import { describe, expect, test } from 'vitest'
import { runProgram } from '../api/support.js'

/** A Worker closes sockets of the main thread by their numbers, opens its own until it has these numbers, and lets a
 * message come to each. The main thread does not turn its event loop meanwhile, so nothing has told it. */
const stealing = `
  const { workerData } = require('node:worker_threads')
  const { AF_SP, NN_PULL, NN_PUSH, nn_bind, nn_close, nn_connect, nn_poll, nn_send, nn_socket } = require('nanomsg-native/nn')
  const { nn_endpoint_address, NN_POLLIN } = require('nanomsg-native/nn')
  const done = new Int32Array(workerData.done)
  ;(async () => {
    for (const s of workerData.numbers) nn_close(s)
    const opened = []
    while (!workerData.numbers.every((s) => opened.includes(s))) opened.push(nn_socket(AF_SP, NN_PULL))
    for (const s of workerData.numbers) {
      const push = nn_socket(AF_SP, NN_PUSH)
      nn_connect(push, nn_endpoint_address(s, nn_bind(s, 'tcp://127.0.0.1:0')))
      await nn_send(push, Buffer.alloc(workerData.size, 'x'), 0)
      await nn_poll([{ fd: s, events: NN_POLLIN }], 1, -1)
    }
    Atomics.store(done, 0, 1)
    Atomics.notify(done, 0)
    setInterval(() => {}, 1000)
  })()`

describe('numbers of sockets that another thread closes and gets', () => {
  test.each([10, 100_000])('are strange to the objects that had them: messages of %i bytes', async (size) => {
    const { stdout, stderr, exitCode } = await runProgram(`
      const { Worker } = require('node:worker_threads')
      const { Rep, Respondent } = require('nanomsg-native')
      const sockets = [new Rep(), new Respondent()]
      for (const socket of sockets) socket.bind('tcp://127.0.0.1:0')
      const done = new Int32Array(new SharedArrayBuffer(4))
      const workerData = { done: done.buffer, numbers: sockets.map((socket) => Number(socket.name)), size: ${size} }
      const worker = new Worker(\`${stealing.replaceAll('`', '')}\`, { eval: true, workerData })
      Atomics.wait(done, 0, 0)
      for (const socket of sockets) {
        for (const call of [() => socket.tryReceive(), () => socket.bind('tcp://127.0.0.1:0'), () => socket.stats()]) {
          try {
            console.log(call())
          } catch (error) {
            console.log(error.code)
          }
        }
      }
      worker.terminate()`)
    expect([exitCode, stdout, stderr]).toEqual([0, 'EBADF\n'.repeat(6), ''])
  })
})
