import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: {
    alias: { 'nanomsg-native': fileURLToPath(new URL('./lib/index.ts', import.meta.url)) },
  },
  test: {
    include: ['test/**/*.test.ts'],
    // A process for each file: the addon is loaded, and unloaded, as it is in an application.
    pool: 'forks',
    testTimeout: 15_000,
    hookTimeout: 15_000,
  },
})
