import type { Answer, SurveyOptions, Surveys } from '../contexts/surveys.js'
import type { SlowPeerOptions, SocketOptions } from '../engine/options.js'
import { type Body, bodyOf } from '../messages/bytes.js'
import { DuplexSocket } from './base/directions.js'
import { defineOptions, type OptionProperties } from './base/option-properties.js'
import { surveys } from './contexts.js'

export interface SurveyorOptions extends SocketOptions, SlowPeerOptions {
  /** Milliseconds for which answers to a survey are received. Default: 1000. */
  deadline?: number | undefined
}

/** Sends a survey to all connected Respondents and receives their answers until the deadline, which is reported
 * by `ETIMEDOUT`. With `send()` a new survey ends the last; with `survey()` any number go on side by side. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the class defines its options from their names
export class Surveyor extends DuplexSocket {
  #surveys: Surveys | undefined

  constructor(options?: SurveyorOptions) {
    surveys('socket')
    super('surveyor', true, options)
  }

  /**
   * Asks all connected Respondents, at once.
   *
   * @returns their answers as they come; it ends with the deadline, and when the socket is closed. Leaving the loop
   *   ends the survey.
   * @throws {NanomsgError} `EINVAL`; `EBADF` when the socket is closed.
   */
  survey(question: Body, options?: SurveyOptions & { peers?: false | undefined }): AsyncIterableIterator<Buffer>
  survey(question: Body, options: SurveyOptions & { peers: true }): AsyncIterableIterator<Answer>
  survey(question: Body, options?: SurveyOptions): AsyncIterableIterator<Buffer | Answer>
  survey(question: Body, options: SurveyOptions = {}): AsyncIterableIterator<Buffer | Answer> {
    const own = bodyOf(question, 'the question', 'survey')
    this.handle.assertOpen('survey')
    this.#surveys ??= new (surveys('survey').Surveys)(this.handle, this.inbox, this.outbox)
    return this.#surveys.survey(own, options, this.deadline)
  }

  static {
    defineOptions(Surveyor, ['deadline', 'onSlow'])
  }
}

export interface Surveyor extends OptionProperties<SurveyorOptions, 'deadline' | 'onSlow'> {}
