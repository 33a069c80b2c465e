/** Messages that travel to and fro between two threads: each side hands on what it has received, and writes to it. */

/** How many are under way: more than one, so that it is not only waking up that is measured. */
export const BALLS = 16

/** Throws when it is not what was sent. Of messages that are handed over no other thread writes to the bytes. */
export function touch(message, body) {
  const last = body.length - 1
  if (message.length !== body.length || message[0] !== body[0] || message[last] !== body[last]) {
    throw new Error(`a message of ${message.length} bytes is not what was sent`)
  }
  message[0] = body[0]
  message[last] = body[last]
  return message
}
