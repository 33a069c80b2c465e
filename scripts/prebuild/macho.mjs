// What a library for macOS says of itself, as far as the check of prebuilt addons asks. Programs that have one
// architecture are read likewise: their exports are what an addon finds there.
import { readFileSync } from 'node:fs'
import { readExports } from './exports-trie.mjs'

const MAGIC_OF_64_BITS = 0xfeedfacf
const HEADER_BYTES = 32
const SYMBOL_BYTES = 16

const LC_SYMTAB = 0x2
const LC_LOAD_DYLIB = 0xc
const LC_ID_DYLIB = 0xd
export const LC_CODE_SIGNATURE = 0x1d
const LC_BUILD_VERSION = 0x32
const LC_RPATH = 0x8000001c
const LC_LOAD_WEAK_DYLIB = 0x80000018
export const LC_DYLD_INFO_ONLY = 0x80000022
const LC_DYLD_EXPORTS_TRIE = 0x80000033

const N_STAB = 0xe0
const N_TYPE = 0x0e
const N_EXT = 0x01
/** In place of a library's number: the name may be anywhere in the process. */
const DYNAMIC_LOOKUP = 0xfe

const MACHINES = new Map([
  [0x0100000c, 'ARM64'],
  [0x01000007, 'X86_64'],
])

const SOUGHT = /(?<=\0)(?:(?:SSL|TLS|BIO|X509|PEM|ERR|EVP|OPENSSL|uv)_\w+|i2d_X509)(?=\0)/g

const textAt = (bytes, offset) => bytes.toString('latin1', offset, bytes.indexOf(0, offset))
const versionOf = (number) => `${number >>> 16}.${(number >>> 8) & 0xff}`

export function* commandsOf(bytes) {
  let offset = HEADER_BYTES
  for (let left = bytes.readUInt32LE(16); left > 0; left--) {
    yield { kind: bytes.readUInt32LE(offset), offset }
    offset += bytes.readUInt32LE(offset + 4)
  }
}

/** Without the underscore that C names have here. */
const plain = (name) => name.replace(/^_/, '')

/** What the loader finds. Names of the table of symbols that are private may be there, too. */
function exportsOf(bytes, command, field) {
  const [start, size] = [field, field + 4].map((at) => bytes.readUInt32LE(command + at))
  return [...readExports(bytes.subarray(start, start + size))].map(([name]) => plain(name))
}

function* undefinedOf(bytes, command) {
  const [start, count, texts] = [8, 12, 16].map((field) => bytes.readUInt32LE(command + field))
  for (let i = 0; i < count; i++) {
    const offset = start + i * SYMBOL_BYTES
    const type = bytes.readUInt8(offset + 4)
    if ((type & N_STAB) !== 0 || (type & N_EXT) === 0 || (type & N_TYPE) !== 0) continue
    const name = plain(textAt(bytes, texts + bytes.readUInt32LE(offset)))
    yield { name, isAnywhere: bytes.readUInt16LE(offset + 6) >>> 8 === DYNAMIC_LOOKUP }
  }
}

export function readMachO(path) {
  const bytes = readFileSync(path)
  if (bytes.length < HEADER_BYTES || bytes.readUInt32LE(0) !== MAGIC_OF_64_BITS)
    throw new Error(`${path} is no Mach-O file of one architecture with 64 bits`)
  const found = {
    machine: MACHINES.get(bytes.readUInt32LE(4)),
    needed: [],
    runPaths: [],
    isSigned: false,
    exported: [],
  }
  const symbols = []
  for (const { kind, offset } of commandsOf(bytes)) {
    const text = () => textAt(bytes, offset + bytes.readUInt32LE(offset + 8))
    if (kind === LC_LOAD_DYLIB || kind === LC_LOAD_WEAK_DYLIB) found.needed.push(text())
    else if (kind === LC_ID_DYLIB) found.ownName = text()
    else if (kind === LC_RPATH) found.runPaths.push(text())
    else if (kind === LC_CODE_SIGNATURE) found.isSigned = true
    else if (kind === LC_BUILD_VERSION) found.oldestSystem = versionOf(bytes.readUInt32LE(offset + 12))
    else if (kind === LC_SYMTAB) symbols.push(...undefinedOf(bytes, offset))
    else if (kind === LC_DYLD_INFO_ONLY) found.exported = exportsOf(bytes, offset, 40)
    else if (kind === LC_DYLD_EXPORTS_TRIE) found.exported = exportsOf(bytes, offset, 8)
  }
  return {
    ...found,
    /** Of no library that was there when it was linked: the host has to give them. */
    unknown: symbols.filter(({ isAnywhere }) => isAnywhere).map(({ name }) => name),
    /** Texts that are names of OpenSSL's and libuv's functions, which are looked for at run time. */
    sought: bytes.toString('latin1').match(SOUGHT) ?? [],
  }
}
