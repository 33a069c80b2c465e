import { isUtf8 } from 'node:buffer'

/** Makes of a message what is printed of it. */
export type Formatter = (message: Uint8Array) => Uint8Array | string

export const formatNames = ['no', 'raw', 'ascii', 'quoted', 'msgpack', 'hex'] as const
/** Formats that the original does not know. */
export const ourFormatNames = ['json'] as const
export type FormatName = (typeof formatNames)[number] | (typeof ourFormatNames)[number]

const NEWLINE = 10
const DOT = 46

const isPrintable = (byte: number) => byte >= 0x20 && byte <= 0x7e
const hexEscape = (byte: number) => `\\x${byte.toString(16).padStart(2, '0')}`
const everyByte = Array.from({ length: 256 }, (_, byte) => byte)

const asciiBytes = Uint8Array.from(everyByte, (byte) => (isPrintable(byte) ? byte : DOT))
const hexTexts = everyByte.map(hexEscape)
const namedEscapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '"': '\\"', '\\': '\\\\' }
const quotedTexts = everyByte.map((byte) => {
  const character = String.fromCharCode(byte)
  return namedEscapes[character] ?? (isPrintable(byte) ? character : hexEscape(byte))
})

function ascii(message: Uint8Array): Uint8Array {
  const line = new Uint8Array(message.length + 1)
  for (let index = 0; index < message.length; index++) line[index] = asciiBytes[message[index]]
  line[message.length] = NEWLINE
  return line
}

function inQuotes(message: Uint8Array, texts: readonly string[]): string {
  let line = '"'
  for (const byte of message) line += texts[byte]
  return `${line}"\n`
}

/** Text as it is, if the message is UTF-8; any other message in base64. */
function json(message: Uint8Array): string {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.length)
  const body = isUtf8(bytes) ? { text: bytes.toString() } : { base64: bytes.toString('base64') }
  return `${JSON.stringify({ length: message.length, ...body })}\n`
}

async function msgpack(): Promise<Formatter> {
  const { encode } = await import('@msgpack/msgpack')
  return encode
}

/** The formatter of that name, or undefined when nothing is to be printed. */
export async function loadFormatter(name: FormatName): Promise<Formatter | undefined> {
  switch (name) {
    case 'no':
      return undefined
    case 'raw':
      return (message) => message
    case 'ascii':
      return ascii
    case 'quoted':
      return (message) => inQuotes(message, quotedTexts)
    case 'hex':
      return (message) => inQuotes(message, hexTexts)
    case 'msgpack':
      return await msgpack()
    case 'json':
      return json
  }
}
