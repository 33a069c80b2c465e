/** 0 done, 1 wrong arguments, 2 a file that cannot be read, 3 a socket that refuses; 128 + n as after signal n. */
export type ExitCode = 0 | 1 | 2 | 3 | 129 | 130 | 141 | 143

/** Thrown where the program is to end: its exit status, and the text that it prints, if any. */
export class Exit extends Error {
  constructor(
    readonly exitCode: ExitCode,
    readonly text = '',
    readonly stream: 'stdout' | 'stderr' = 'stderr',
    /** What stderr says besides, when it is a terminal. */
    readonly note = '',
  ) {
    super(text)
  }
}

export const interruptions = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const satisfies Record<string, ExitCode>

/** The status a shell shows for a program that SIGPIPE has killed. Node.js ignores that signal. */
export const BROKEN_PIPE: ExitCode = 141
