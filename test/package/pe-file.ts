// Libraries for Windows as the check reads them: headers and names, and no code. One section holds all of it.
const words = (...numbers: number[]) => Buffer.from(new Uint32Array(numbers).buffer)

export interface Pe {
  machine: number
  madeAt: number
  traits: number
  needed: string[]
  /** In the order of their bytes. */
  exported: string[]
  texts: string[]
}

export const goodPe: Pe = {
  machine: 0x8664,
  madeAt: 0,
  traits: 0x20 | 0x40 | 0x100,
  needed: ['KERNEL32.dll', 'WS2_32.dll'],
  exported: ['napi_register_module_v1', 'nn_socket'],
  texts: ['SSL_new', 'napi_create_function'],
}

const HEADER_AT = 0x40
const OPTION_BYTES = 112 + 16 * 8
const SECTION_AT = 0x200
/** Where the loader puts the section. */
const SECTION_ADDRESS = 0x1000

/** Collects parts of the section, and says at which address of the loaded library each is. */
function section() {
  const parts: Buffer[] = []
  let bytes = 0
  const add = (part: Buffer) => {
    const address = SECTION_ADDRESS + bytes
    parts.push(part)
    bytes += part.length
    return address
  }
  return { add, text: (value: string) => add(Buffer.from(`${value}\0`, 'latin1')), all: () => Buffer.concat(parts) }
}

export function peFile({ machine, madeAt, traits, needed, exported, texts }: Pe): Buffer {
  const { add, text, all } = section()
  add(Buffer.alloc(8))
  for (const each of texts) text(each)
  const imports = needed.map((name) => words(0, 0, 0, text(name), 0))
  const importsAt = add(Buffer.concat([...imports, Buffer.alloc(20)]))
  const functions = add(words(...exported.map((_, i) => SECTION_ADDRESS + i)))
  const names = add(words(...exported.map(text)))
  const places = add(Buffer.from(new Uint16Array(exported.map((_, i) => i)).buffer))
  const count = exported.length
  const exportsAt = add(words(0, madeAt, 0, text('addon.node'), 1, count, count, functions, names, places))

  const headers = Buffer.alloc(SECTION_AT)
  headers.writeUInt32LE(HEADER_AT, 0x3c)
  headers.write('PE\0\0', HEADER_AT, 'latin1')
  headers.writeUInt16LE(machine, HEADER_AT + 4)
  headers.writeUInt16LE(1, HEADER_AT + 6)
  headers.writeUInt32LE(madeAt, HEADER_AT + 8)
  headers.writeUInt16LE(OPTION_BYTES, HEADER_AT + 20)
  const options = HEADER_AT + 24
  headers.writeUInt16LE(0x20b, options)
  headers.writeUInt16LE(traits, options + 70)
  headers.writeUInt32LE(exportsAt, options + 112)
  headers.writeUInt32LE(importsAt, options + 120)
  const bytes = all()
  words(bytes.length, SECTION_ADDRESS, bytes.length, SECTION_AT).copy(headers, options + OPTION_BYTES + 8)
  return Buffer.concat([headers, bytes])
}
