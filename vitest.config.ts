import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const inProject = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** In the package these are files of their own, which are loaded on their first use: scripts/bundle.mjs. */
const deferred = {
  name: 'deferred',
  enforce: 'pre',
  transform(code: string, id: string) {
    if (!id.startsWith(inProject('lib/'))) return undefined
    const imports: string[] = []
    const text = code.replace(/require\('(\.[^']+\.js)'\)(?= as typeof import)/g, (_, path) => {
      const name = `__deferred${imports.length}`
      imports.push(`import * as ${name} from '${path}'`)
      return name
    })
    // At the end, so that lines keep their numbers.
    return imports.length === 0 ? undefined : { code: [text, ...imports].join('\n'), map: null }
  },
} as const

export default defineConfig({
  plugins: [deferred],
  resolve: {
    alias: [
      { find: /^nanomsg-native$/, replacement: inProject('lib/index.ts') },
      { find: /^nanomsg-native\/(nn|compat)$/, replacement: inProject('lib/$1/index.ts') },
    ],
  },
  test: {
    setupFiles: ['test/support/turns.ts'],
    include: ['test/**/*.test.ts'],
    // A process for each file: the addon is loaded, and unloaded, as it is in an application.
    pool: 'forks',
    // Most wait for processes that they talk to: one core would be idle.
    maxWorkers: 2,
    minWorkers: 1,
    // Ends tests that hang; on a busy machine those that start many programs take long.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
