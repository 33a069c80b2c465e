import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { textOf } from './error-texts.js'
import { Exit } from './exit.js'

const cannot = (doing: 'opening' | 'reading', path: string, error: unknown) =>
  new Exit(2, `Error ${doing} file \`\`${path}'': ${textOf(error)}\n`)

async function readFile(path: string): Promise<Uint8Array> {
  const file = await open(path).catch((error) => {
    throw cannot('opening', path, error)
  })
  try {
    return await file.readFile()
  } catch (error) {
    throw cannot('reading', path, error)
  } finally {
    await file.close()
  }
}

async function readStream(stream: Readable): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  try {
    for await (const chunk of stream) chunks.push(chunk)
  } catch (error) {
    throw cannot('reading', '-', error)
  }
  return Buffer.concat(chunks)
}

export const cannotRead = (path: string, error: unknown) => cannot('reading', path, error)

/** The whole of a file, or of stdin for `-`; nothing in it is as good as something. */
export function readInput(path: string, stdin: Readable): Promise<Uint8Array> {
  return path === '-' ? readStream(stdin) : readFile(path)
}
