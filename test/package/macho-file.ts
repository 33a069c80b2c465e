// Libraries for macOS as the check reads them: headers and names, and no code.
import { createHash } from 'node:crypto'

const { writeExports } = (await import(`../../scripts/prebuild/${'exports-trie'}.mjs`)) as {
  writeExports(entries: [string, Buffer][]): Buffer
}

const padded = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 7)])
const words = (...numbers: number[]) => Buffer.from(new Uint32Array(numbers).buffer)

function command(kind: number, body: Buffer): Buffer {
  const rest = padded(body)
  return Buffer.concat([words(kind, 8 + rest.length), rest])
}

/** `fields` come between the command's head and its text. */
function commandWithText(kind: number, fields: number[], text: string): Buffer {
  return command(kind, Buffer.concat([words(12 + fields.length * 4, ...fields), Buffer.from(`${text}\0`)]))
}

export interface MachO {
  machine: number
  oldestSystem: number
  ownName: string
  needed: string[]
  runPaths: string[]
  isSigned: boolean
  exported: string[]
  /** Of the first library that is needed. */
  ofSystem: string[]
  ofHost: string[]
  texts: string[]
}

export const goodMachO: MachO = {
  machine: 0x0100000c,
  oldestSystem: 0x000b0000,
  ownName: '@rpath/nanomsg-native.node',
  needed: ['/usr/lib/libSystem.B.dylib'],
  runPaths: [],
  isSigned: true,
  exported: ['nn_socket', 'napi_register_module_v1'],
  ofSystem: ['malloc', '_Unwind_Resume'],
  ofHost: ['napi_get_undefined'],
  texts: ['SSL_new', 'uv_poll_init'],
}

const UNDEFINED = 0x01

const HEADER_BYTES = 32
const SYMBOL_BYTES = 16
const PAGE_BITS = 12

const bigEndian = (...numbers: number[]) => words(...numbers).swap32()

/** A signature with the hash of each page of `bytes`. */
function signatureOf(bytes: Buffer): Buffer {
  const pages = Array.from({ length: Math.ceil(bytes.length / 2 ** PAGE_BITS) }, (_, i) =>
    createHash('sha256')
      .update(bytes.subarray(i << PAGE_BITS, (i + 1) << PAGE_BITS))
      .digest(),
  )
  const size = 44 + pages.length * 32
  const head = bigEndian(0xfade0c02, size, 0x20400, 2, 44, 0, 0, pages.length, bytes.length)
  const kinds = Buffer.from([32, 2, 0, PAGE_BITS, 0, 0, 0, 0])
  return Buffer.concat([bigEndian(0xfade0cc0, 20 + size, 1, 0, 20), head, kinds, ...pages])
}

/** Whether the hashes of a file of machOFile are those of its pages. */
export function isSignedWell(file: Buffer, bytesBefore: number): boolean {
  return signatureOf(file.subarray(0, bytesBefore)).equals(file.subarray(bytesBefore))
}

/** The file, and where its signature begins. */
export function machOParts(file: MachO): { bytes: Buffer; signatureAt: number } {
  const symbols = [
    ...file.ofSystem.map((name) => ({ name, library: 1 })),
    ...file.ofHost.map((name) => ({ name, library: 0xfe })),
  ]
  let names = '\0'
  const rows = symbols.map(({ name, library }) => {
    const row = Buffer.alloc(SYMBOL_BYTES)
    row.writeUInt32LE(names.length, 0)
    row.writeUInt8(UNDEFINED, 4)
    row.writeUInt16LE(library << 8, 6)
    names += `_${name}\0`
    return row
  })
  const texts = Buffer.from(names + file.texts.map((text) => `${text}\0`).join(''))
  const trie = writeExports(file.exported.map((name) => [`_${name}`, Buffer.from([0, 0x10])]))
  const commands = (commandBytes: number): Buffer[] => {
    const rowsAt = HEADER_BYTES + commandBytes
    const textsAt = rowsAt + rows.length * SYMBOL_BYTES
    const trieAt = textsAt + texts.length
    return [
      commandWithText(0xd, [0, 0, 0], file.ownName),
      ...file.needed.map((name) => commandWithText(0xc, [0, 0, 0], name)),
      ...file.runPaths.map((path) => commandWithText(0x8000001c, [], path)),
      command(0x32, words(1, file.oldestSystem, 0, 0)),
      command(2, words(rowsAt, rows.length, textsAt, texts.length)),
      command(0x80000022, words(0, 0, 0, 0, 0, 0, 0, 0, trieAt, trie.length)),
      ...(file.isSigned ? [command(0x1d, words(trieAt + trie.length, 0))] : []),
    ]
  }
  const commandBytes = Buffer.concat(commands(0)).length
  const all = commands(commandBytes)
  const header = words(0xfeedfacf, file.machine, 0, 6, all.length, commandBytes, 0, 0)
  const content = Buffer.concat([header, ...all, ...rows, texts, trie])
  const bytes = Buffer.concat([content, ...(file.isSigned ? [signatureOf(content)] : [])])
  return { bytes, signatureAt: content.length }
}

export const machOFile = (file: MachO): Buffer => machOParts(file).bytes
