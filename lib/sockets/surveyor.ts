import { DuplexSocket } from '../directions.js'
import type { SocketOptions } from '../options.js'

export interface SurveyorOptions extends SocketOptions {
  /** Milliseconds for which answers to a survey are received. Default: 1000. */
  deadline?: number
}

/** Sends a survey to all connected Respondents and receives their answers until the deadline, which is told by
 * `ETIMEDOUT`. A new survey ends the last. */
export class Surveyor extends DuplexSocket {
  constructor(options?: SurveyorOptions) {
    super('surveyor', true, options)
  }

  get deadline(): number {
    return this.handle.getOption('deadline') as number
  }
  set deadline(milliseconds: number) {
    this.handle.setOption('deadline', milliseconds)
  }
}
