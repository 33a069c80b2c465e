/** Bodies that tell whether they are what was sent: a number, a check sum, and random bytes of a random length. */
import { createHash, randomBytes, randomInt } from 'node:crypto'

const NUMBER_BYTES = 4
const HEAD_BYTES = NUMBER_BYTES + 20
/** What random bodies are cut from: made once, since making them would cost more than sending them. */
const material = randomBytes(512 * 1024)

const sumOf = (body) =>
  createHash('sha1').update(body.subarray(0, NUMBER_BYTES)).update(body.subarray(HEAD_BYTES)).digest()

/** Most are short, one in fifty has up to 300 KiB. */
function randomLength() {
  return randomInt(50) === 0 ? randomInt(300 * 1024) : randomInt(2000)
}

export function makeBody(number) {
  const length = randomLength()
  const start = randomInt(material.length - length)
  const body = Buffer.allocUnsafe(HEAD_BYTES + length)
  body.writeUInt32BE(number)
  material.copy(body, HEAD_BYTES, start, start + length)
  sumOf(body).copy(body, NUMBER_BYTES)
  return body
}

/** The number of a body; undefined when it is not as it was made. */
export function numberOf(body) {
  const isWhole = body.length >= HEAD_BYTES && sumOf(body).equals(body.subarray(NUMBER_BYTES, HEAD_BYTES))
  return isWhole ? body.readUInt32BE() : undefined
}
