import { accessSync, constants } from 'node:fs'

/** What to do when the system lacks something, whatever was called. */
export const shortageHints = {
  EMFILE:
    'Close sockets and files that are no longer used, or raise the limit of open files of this process (ulimit -n)',
  ENFILE:
    'The whole system has no open file left: end programs that hold many, or raise its limit (sysctl fs.file-max)',
  ENOMEM:
    'The system has no memory left for this: use less, or raise the limit of this process (ulimit -v) or its container',
  ENOBUFS: 'The system has no memory left for connections: close some, or raise the limits of the system',
} as const

export type Shortage = keyof typeof shortageHints

/** What a dynamic linker says about each. */
const linkerTexts: Readonly<Record<Shortage, RegExp>> = {
  EMFILE: /Too many open files(?! in system)|No file descriptors available/,
  ENFILE: /Too many open files in system/,
  ENOMEM: /[Cc]annot allocate memory(?! in static TLS)|Out of memory/,
  ENOBUFS: /No buffer space available/,
}

/** The linker does not say why a file cannot be mapped: memory lacks, or its file system lets nothing be executed. */
function isUnmapped(message: string): boolean {
  const [, file] = /^(\/.*): failed to map segment from shared object$/.exec(message) ?? []
  if (file === undefined) return false
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const isShortage = (code: unknown): code is Shortage => typeof code === 'string' && Object.hasOwn(shortageHints, code)

/** What the system lacked when an error was thrown by Node.js or its dynamic linker; undefined: nothing. */
export function shortageOf(error: unknown): Shortage | undefined {
  if (!(error instanceof Error)) return undefined
  const { code, message } = error as NodeJS.ErrnoException
  if (isShortage(code)) return code
  if (isUnmapped(message)) return 'ENOMEM'
  return (Object.keys(linkerTexts) as Shortage[]).find((shortage) => linkerTexts[shortage].test(message))
}
