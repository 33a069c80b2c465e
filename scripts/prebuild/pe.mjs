// What a library for Windows says of itself, as far as the check of prebuilt addons asks.
import { readFileSync } from 'node:fs'

const MACHINES = { 34404: 'x64', 43620: 'ARM64' }
/** In its header: it may lie anywhere, also above 4 GiB, and no data runs. */
const HIGH_ENTROPY = 0x20
const DYNAMIC_BASE = 0x40
const NX_COMPATIBLE = 0x100

const TABLE_OF_EXPORTS = 0
const TABLE_OF_IMPORTS = 1
const BYTES_OF_IMPORT = 20
const BYTES_OF_SECTION = 40

/** Names that are looked for at run time. */
const SOUGHT = /(?<=\0)(SSL_new|napi_create_function)(?=\0)/g

export function textAt(bytes, offset) {
  return bytes.toString('latin1', offset, bytes.indexOf(0, offset))
}

/** Where the parts of the file are. `at` says where in the file an address of the loaded library stands. */
export function layoutOf(bytes) {
  const header = bytes.readUInt32LE(0x3c)
  const options = header + 24
  if (bytes.readUInt32LE(header) !== 0x4550 || bytes.readUInt16LE(options) !== 0x20b)
    throw new Error('this is no library of 64 bits for Windows')
  const first = options + bytes.readUInt16LE(header + 20)
  const sections = Array.from({ length: bytes.readUInt16LE(header + 6) }, (_, i) => {
    const section = first + i * BYTES_OF_SECTION
    const [address, size, start] = [12, 16, 20].map((field) => bytes.readUInt32LE(section + field))
    return { address, size, start }
  })
  const at = (address) => {
    const section = sections.find((each) => address >= each.address && address < each.address + each.size)
    if (section === undefined) throw new Error(`no section has the address ${address}`)
    return address - section.address + section.start
  }
  return { header, options, at, tableOf: (number) => bytes.readUInt32LE(options + 112 + number * 8) }
}

/** Where the table of exports and its three lists stand in the file: functions, names, and each name's function. */
export function exportsOf(bytes, { at, tableOf }) {
  const address = tableOf(TABLE_OF_EXPORTS)
  if (address === 0) throw new Error('there is no table of exports')
  const table = at(address)
  const [functions, names, places] = [28, 32, 36].map((field) => at(bytes.readUInt32LE(table + field)))
  return { table, functions, names, places, count: bytes.readUInt32LE(table + 24) }
}

function* importedLibraries(bytes, { at, tableOf }) {
  const address = tableOf(TABLE_OF_IMPORTS)
  if (address === 0) return
  for (let entry = at(address); bytes.readUInt32LE(entry + 12) !== 0; entry += BYTES_OF_IMPORT)
    yield textAt(bytes, at(bytes.readUInt32LE(entry + 12)))
}

export function readPe(path) {
  const bytes = readFileSync(path)
  const layout = layoutOf(bytes)
  const { names, count } = exportsOf(bytes, layout)
  const traits = bytes.readUInt16LE(layout.options + 70)
  const has = (wanted) => (traits & wanted) === wanted
  return {
    machine: MACHINES[bytes.readUInt16LE(layout.header + 4)],
    madeAt: bytes.readUInt32LE(layout.header + 8),
    needed: [...importedLibraries(bytes, layout)],
    exported: Array.from({ length: count }, (_, i) => textAt(bytes, layout.at(bytes.readUInt32LE(names + i * 4)))),
    isPlacedAtRandom: has(HIGH_ENTROPY | DYNAMIC_BASE),
    isDataExecutable: !has(NX_COMPATIBLE),
    sought: bytes.toString('latin1').match(SOUGHT) ?? [],
  }
}
