/** What Node.js itself offers between workers: postMessage, which copies each message. */
import { parentPort } from 'node:worker_threads'

export const version = process.versions.node
export const transports = ['worker']

/** So many messages may wait for the receiver: postMessage itself never waits. */
const WINDOW = 4096

export async function push(_address, body) {
  let credit = WINDOW
  const sendMore = () => {
    while (credit > 0) {
      credit--
      parentPort.postMessage(body)
    }
  }
  parentPort.on('message', (more) => {
    credit += more
    sendMore()
  })
  sendMore()
}

export async function pull(address, meter, worker) {
  let received = 0
  worker.on('message', (message) => {
    // It arrives as a Uint8Array.
    meter.message(Buffer.from(message.buffer, message.byteOffset, message.length))
    if (++received % (WINDOW / 4) === 0) worker.postMessage(WINDOW / 4)
  })
  meter.listensAt(address)
}
