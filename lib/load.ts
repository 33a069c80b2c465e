import { join } from 'node:path'
import type { Functions, Shared } from './native.js'

interface Addon {
  attach(shared: Shared): Functions
}

/** Loads the prebuilt addon of this platform, or the one built on this machine. */
export function loadAddon(): Addon {
  const load = require('node-gyp-build') as (folder: string) => Addon
  return load(join(__dirname, '..'))
}
