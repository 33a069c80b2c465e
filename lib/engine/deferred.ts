/** Parts of the package whose files are loaded when they are used. */
import { constants } from 'node:os'
import { errnoError } from './errors.js'
import { shortageOf } from './shortages.js'

function loaded<Part>(load: () => Part, syscall: string): Part {
  try {
    return load()
  } catch (cause) {
    const shortage = shortageOf(cause)
    if (shortage === undefined) throw cause
    const subject = '(a file of nanomsg-native cannot be read)'
    throw Object.assign(errnoError(constants.errno[shortage], syscall, subject), { cause })
  }
}

/**
 * A part that is loaded once. It is kept here, since a program may clear `require.cache`: the part would be loaded
 * anew, and with it another copy of all that it shares with the other files, such as the class of errors.
 *
 * @param load requires it by a literal path, which scripts/bundle.mjs and bundlers find
 * @returns gives the part to a call
 * @throws {NanomsgError} what the system lacked when the file was to be read
 */
export function deferred<Part>(load: () => Part): (syscall: string) => Part {
  let part: Part | undefined
  return (syscall) => (part ??= loaded(load, syscall))
}
