let last = 0

/** A number for a conversation that nobody uses any more: it takes hours until it comes again. */
export function nextConversation(): number {
  last = (last % 0x7fffffff) + 1
  return last
}
