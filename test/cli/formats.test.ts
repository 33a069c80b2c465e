import { expect, test } from 'vitest'
import { type FormatName, loadFormatter } from '../../lib/cli/formats.js'

const message = Buffer.from('6122625c630a0d09007fc3a97e', 'hex')
const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))

async function format(name: FormatName, body: Uint8Array): Promise<Buffer> {
  const formatter = await loadFormatter(name)
  return Buffer.from(formatter!(body) as Uint8Array)
}

test('the format "no" prints nothing', async () => {
  expect(await loadFormatter('no')).toBeUndefined()
})

test.each([
  ['raw', message],
  ['ascii', Buffer.from('a"b\\c.......~\n')],
  ['quoted', Buffer.from('"a\\"b\\\\c\\n\\r\\x09\\x00\\x7f\\xc3\\xa9~"\n')],
  ['hex', Buffer.from('"\\x61\\x22\\x62\\x5c\\x63\\x0a\\x0d\\x09\\x00\\x7f\\xc3\\xa9\\x7e"\n')],
  ['msgpack', Buffer.concat([Buffer.from([0xc4, 13]), message])],
] as const)('%s prints a message of awkward bytes exactly', async (name, expected) => {
  expect(await format(name, message)).toEqual(expected)
})

test.each([
  ['raw', ''],
  ['ascii', '0a'],
  ['quoted', '22220a'],
  ['hex', '22220a'],
  ['msgpack', 'c400'],
] as const)('%s prints an empty message as %j', async (name, hex) => {
  expect((await format(name, Buffer.alloc(0))).toString('hex')).toBe(hex)
})

test.each([
  ['text', 'gr\u00fc\u00df "dich"\n\u2028', '{"length":17,"text":"gr\u00fc\u00df \\"dich\\"\\n\\u2028"}\n'],
  ['nothing', '', '{"length":0,"text":""}\n'],
  ['NUL and control characters', '\0\x1b', '{"length":2,"text":"\\u0000\\u001b"}\n'],
  ['what is no UTF-8', Buffer.from('ff00fe', 'hex'), '{"length":3,"base64":"/wD+"}\n'],
  ['UTF-8 that is cut off', Buffer.from('c3', 'hex'), '{"length":1,"base64":"ww=="}\n'],
])('json prints %s as one object on one line', async (_, body, line) => {
  const printed = (await format('json', Buffer.from(body))).toString()
  expect(printed).toBe(line)
  expect(JSON.parse(printed)).toHaveProperty('length')
})

test('json prints nothing that a terminal acts on, or that turns text round', async () => {
  const codes = [
    [0x7f, 0x9f],
    [0x061c, 0x061c],
    [0x200e, 0x200f],
    [0x2028, 0x202e],
    [0x2066, 0x2069],
  ] as const
  const text = codes
    .flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => String.fromCharCode(first + i)))
    .join('')
  const printed = (await format('json', Buffer.from(text))).toString()
  expect(printed).toMatch(/^[\x20-\x7e]+\n$/)
  expect(JSON.parse(printed).text).toBe(text)
})

test('ascii, quoted and hex print nothing but what ASCII can show', async () => {
  for (const name of ['ascii', 'quoted', 'hex'] as const) {
    expect((await format(name, everyByte)).toString('latin1')).toMatch(/^[\x20-\x7e]+\n$/)
  }
})

test('json prints a view as what it shows, not as the memory behind it', async () => {
  expect((await format('json', Buffer.from('abcdef').subarray(2, 4))).toString()).toBe('{"length":2,"text":"cd"}\n')
})

test.each([
  ['ascii', 257],
  ['quoted', 740],
  ['hex', 256 * 4 + 3],
  ['msgpack', 256 + 3],
] as const)('%s prints all 256 bytes in %d', async (name, length) => {
  expect(await format(name, everyByte)).toHaveLength(length)
})

test('ascii prints a dot for each byte outside the printable ones', async () => {
  const printable = everyByte.subarray(0x20, 0x7f).toString('latin1')
  expect((await format('ascii', everyByte)).toString()).toBe(`${'.'.repeat(32)}${printable}${'.'.repeat(129)}\n`)
})

test('quoted text reads back as the same bytes', async () => {
  const line = (await format('quoted', everyByte)).toString('latin1')
  const named: Record<string, string> = { n: '\n', r: '\r' }
  const read = line
    .slice(1, -2)
    .replace(/\\(x[\da-f]{2}|.)/g, (_, escaped: string) =>
      escaped.length === 3 ? String.fromCharCode(Number.parseInt(escaped.slice(1), 16)) : (named[escaped] ?? escaped),
    )
  expect(Buffer.from(read, 'latin1')).toEqual(everyByte)
})

test.each([
  [0, 'c400'],
  [1, 'c401'],
  [255, 'c4ff'],
  [256, 'c50100'],
  [65535, 'c5ffff'],
  [65536, 'c600010000'],
  [1 << 20, 'c600100000'],
])('msgpack writes %d bytes behind their length', async (length, head) => {
  const body = Buffer.alloc(length, 0xa5)
  const packed = await format('msgpack', body)
  expect(packed.subarray(0, head.length / 2).toString('hex')).toBe(head)
  expect(packed.subarray(head.length / 2).equals(body)).toBe(true)
})
