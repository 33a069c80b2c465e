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
  for (let index = 0; index < message.length; index++) line[index] = asciiBytes[message[index]!]!
  line[message.length] = NEWLINE
  return line
}

function inQuotes(message: Uint8Array, texts: readonly string[]): string {
  let line = '"'
  for (const byte of message) line += texts[byte]
  return `${line}"\n`
}

/** What terminals act on, or show as what it is not: DEL and C1 controls (U+009B begins escape sequences), line and
 * paragraph separators, and what changes the direction of text. */
const deceptive = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g
const unicodeEscape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Text, if the message is UTF-8; any other message in base64. */
function json(message: Uint8Array): string {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.length)
  const body = isUtf8(bytes) ? { text: bytes.toString() } : { base64: bytes.toString('base64') }
  return `${JSON.stringify({ length: message.length, ...body }).replace(deceptive, unicodeEscape)}\n`
}

async function msgpack(): Promise<Formatter> {
  const { encode } = await import('@msgpack/msgpack')
  return encode
}

/** Whether a format prints what a peer has sent as it is, escape sequences included. */
export const printsBytesAsTheyAre = (name: FormatName): boolean => name === 'raw' || name === 'msgpack'

/** Whether a terminal would act on these bytes instead of showing them: controls other than those of lines, and what is
 * no UTF-8, since a terminal may take it for one. */
export function actsOnTerminal(bytes: Uint8Array): boolean {
  if (bytes.some((byte) => byte === 0x7f || (byte < 0x20 && (byte < 0x09 || byte > 0x0d)))) return true
  return !isUtf8(bytes) || Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString().search(deceptive) >= 0
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
