/** Messages between workers by postMessage(). */
import { parentPort } from 'node:worker_threads'
import { BALLS, touch } from './to-and-fro.mjs'

export const version = process.versions.node
export const transports = ['worker']

/** How many messages may wait for the receiver, and how many bytes of long ones: postMessage itself never waits. */
const WINDOW = 4096
const WINDOW_BYTES = 64 * 1024 * 1024

const windowFor = (body) => Math.max(4, Math.min(WINDOW, Math.floor(WINDOW_BYTES / body.length)))

/** @param post posts one message with the body's bytes through a port */
export const pushWith = (post) => async (_address, body) => {
  let credit = windowFor(body)
  const sendMore = () => {
    while (credit > 0) {
      credit--
      post(parentPort, body)
    }
  }
  parentPort.on('message', (more) => {
    credit += more
    sendMore()
  })
  sendMore()
}

/** @param hand posts a message that was received or made, with all of its memory, through a port */
export const throwsWith = (hand) => async (address, body, meter, worker) => {
  meter.listensAt(address)
  worker.on('message', (message) => {
    const ball = bufferOf(message)
    meter.message(ball)
    hand(worker, touch(ball, body))
  })
  for (let i = 0; i < BALLS; i++) {
    const ball = Buffer.allocUnsafeSlow(body.length)
    body.copy(ball)
    hand(worker, ball)
  }
}

export const throwsBackWith = (hand) => async (_address, body) => {
  parentPort.on('message', (message) => hand(parentPort, touch(bufferOf(message), body)))
}

/** It arrives as a Uint8Array. */
const bufferOf = (message) => Buffer.from(message.buffer, message.byteOffset, message.length)

export async function pull(address, meter, worker) {
  let received = 0
  worker.on('message', (message) => {
    meter.message(bufferOf(message))
    const step = Math.floor(windowFor(message) / 4)
    if (++received % step === 0) worker.postMessage(step)
  })
  meter.listensAt(address)
}
