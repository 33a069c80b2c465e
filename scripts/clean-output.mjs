// Removes what the compiler has written before: files of an older layout would be published.
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
rmSync(join(root, 'dist'), { recursive: true, force: true })
for (const name of readdirSync(join(root, 'types'))) {
  if (!name.endsWith('.api.md')) rmSync(join(root, 'types', name), { recursive: true })
}
