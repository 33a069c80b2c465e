/** Options of the engine as properties of a class: what is read and set is the engine's own value. */

import type { Handle } from '../../engine/handle.js'
import type { OptionName } from '../../engine/options.js'

interface HasHandle {
  readonly handle: Handle
}

/** Gives a class of sockets a property for each of these options. Its interface names their types. */
export function defineOptions(type: { readonly prototype: object }, names: readonly OptionName[]): void {
  for (const name of names) {
    Object.defineProperty(type.prototype, name, {
      get(this: HasHandle): number | boolean | string {
        return this.handle.getOption(name)
      },
      set(this: HasHandle, value: unknown) {
        this.handle.setOption(name, value)
      },
      configurable: true,
    })
  }
}

/** These properties, which always have a value, from the options that a constructor takes. */
export type OptionProperties<Options, Name extends keyof Options = keyof Options> = {
  [Each in Name]-?: NonNullable<Options[Each]>
}
