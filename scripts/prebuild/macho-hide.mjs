// Takes from a library for macOS what it exports besides what it is for: the linker has no list of names, as it has for
// Linux. The table of exports becomes a shorter one in the same place, and the signature, which holds hashes of the
// file's pages, is made to fit.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { readExports, writeExports } from './exports-trie.mjs'
import { commandsOf, LC_CODE_SIGNATURE, LC_DYLD_INFO_ONLY } from './macho.mjs'

const MAGIC_OF_CODE_DIRECTORY = 0xfade0c02
const HASH_BYTES = 32
const KIND_OF_SHA256 = 2

const find = (bytes, wanted) => [...commandsOf(bytes)].find(({ kind }) => kind === wanted)?.offset

function shortenExports(bytes, isShown) {
  const command = find(bytes, LC_DYLD_INFO_ONLY)
  if (command === undefined) throw new Error('there is no table of exports')
  const [start, size] = [40, 44].map((field) => bytes.readUInt32LE(command + field))
  const table = bytes.subarray(start, start + size)
  const shown = [...readExports(table)].filter(([name]) => isShown(name.slice(1)))
  const shorter = writeExports(shown.map(([name, value]) => [name, Buffer.from(value)]))
  if (shorter.length > size) throw new Error('the table of exports has become longer')
  table.fill(0)
  shorter.copy(table)
  bytes.writeUInt32LE(shorter.length, command + 44)
}

/** Numbers in a signature begin with their highest byte. */
function findCodeDirectory(bytes, signature) {
  const start = bytes.readUInt32LE(signature + 8)
  for (let i = 0; i < bytes.readUInt32BE(start + 8); i++) {
    const blob = start + bytes.readUInt32BE(start + 16 + i * 8)
    if (bytes.readUInt32BE(blob) === MAGIC_OF_CODE_DIRECTORY) return blob
  }
  throw new Error('there is no signature')
}

/** Only processors of Apple ask for a signature. */
function signAgain(bytes) {
  const signature = find(bytes, LC_CODE_SIGNATURE)
  if (signature === undefined) return
  const directory = findCodeDirectory(bytes, signature)
  const hashes = directory + bytes.readUInt32BE(directory + 16)
  const [pages, limit] = [28, 32].map((field) => bytes.readUInt32BE(directory + field))
  const pageBytes = 2 ** bytes.readUInt8(directory + 39)
  if (bytes.readUInt8(directory + 36) !== HASH_BYTES || bytes.readUInt8(directory + 37) !== KIND_OF_SHA256)
    throw new Error('the signature is not one of SHA-256')
  for (let i = 0; i < pages; i++) {
    const page = bytes.subarray(i * pageBytes, Math.min((i + 1) * pageBytes, limit))
    createHash('sha256')
      .update(page)
      .digest()
      .copy(bytes, hashes + i * HASH_BYTES)
  }
}

/** `isShown` is asked for each name, as C has it. */
export function hideExports(path, isShown) {
  const bytes = readFileSync(path)
  shortenExports(bytes, isShown)
  signAgain(bytes)
  writeFileSync(path, bytes)
}
