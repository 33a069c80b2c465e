/** Words that, as the first argument, stand for something else than a socket. */
export const commandNames = ['help', 'completion', 'bench', 'device'] as const

export type CommandName = (typeof commandNames)[number]

export const isCommandName = (word: string | undefined): word is CommandName =>
  commandNames.some((name) => name === word)
