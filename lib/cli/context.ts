import type { Environment } from './environment.js'
import { Exit, interruptions } from './exit.js'
import type { Output } from './output.js'

/** What a run of the program works with, whatever it does. */
export interface Context {
  readonly environment: Environment
  readonly output: Output
  /** Aborted with an Exit when the program has to end. */
  readonly stop: AbortController
}

/** From now on a signal ends what is going on, and then the program. */
export function stopWhenInterrupted({ environment, stop }: Context): void {
  environment.onInterruption((signal) => stop.abort(new Exit(interruptions[signal])))
}
