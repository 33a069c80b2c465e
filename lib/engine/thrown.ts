/** What can be shown of anything that code of the program has thrown: to look at it may throw as well. */

function foundIn<Result>(read: () => Result): Result | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** The message of an error, or the text of anything else. */
export const textOfThrown = (thrown: unknown): string =>
  foundIn(() => String(thrown instanceof Error ? thrown.message : thrown)) ?? 'what was thrown cannot be shown'

export const stackOfThrown = (thrown: unknown): string | undefined =>
  foundIn(() => (thrown instanceof Error && thrown.stack !== undefined ? String(thrown.stack) : undefined))
