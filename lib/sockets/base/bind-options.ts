import { argumentError } from '../../engine/errors.js'
import type { SocketOptions } from '../../engine/options.js'

/** Options of one endpoint, in place of the socket's. `maxConnections` is that of the endpoint. */
export interface BindOptions
  extends Pick<SocketOptions, 'admit' | 'admitTimeout' | 'origins' | 'maxConnections' | 'ipcMode' | 'ipcOwner'> {}

/** The properties of the socket that they set while it is bound. */
const properties = {
  admit: 'admit',
  admitTimeout: 'admitTimeout',
  origins: 'origins',
  maxConnections: 'maxConnectionsPerEndpoint',
  ipcMode: 'ipcMode',
  ipcOwner: 'ipcOwner',
} as const satisfies Record<keyof BindOptions, keyof SocketOptions>

type Name = keyof typeof properties

/** A property, and its value for the time of a call. */
export type Setting = readonly [(typeof properties)[Name], unknown]

export function bindSettings(options: object): Setting[] {
  if (typeof options !== 'object' || options === null) throw argumentError('bind', 'options', 'an object', options)
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(properties, name))
  if (unknown !== undefined) {
    throw argumentError('bind', 'an option', `one of ${Object.keys(properties).join(', ')}`, unknown)
  }
  return Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [properties[name as Name], value])
}
