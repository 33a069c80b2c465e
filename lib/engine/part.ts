import type { NanomsgError } from './errors.js'
import type { OptionName } from './options.js'

/** A part of a socket. The socket's handle calls it when something happens to the socket; it implements what it
 *  needs. */
export interface Part {
  /** The engine has events of connections. */
  onEvents?(): void
  /** The engine has messages. */
  onReadable?(): void
  /** A peer can take messages again. */
  onWritable?(): void
  /** An option has a new value, in the engine's terms. */
  onOption?(name: OptionName, value: number): void
  /** The socket is about to be closed by its program. Options can still be read. */
  onClosing?(): void
  /** The socket is closed, or its closing has begun: calls that wait fail. */
  close?(closedError: (syscall: string) => NanomsgError): void
  /** The socket was referenced or unreferenced: timers follow. */
  updateReferences?(): void
}
