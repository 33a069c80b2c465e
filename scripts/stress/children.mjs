/** Child processes that are asked, and answer: the starting side and the side of the child. */
import { fork } from 'node:child_process'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'

/**
 * Starts a module of this folder. `ask(name, …)` resolves with what its function of that name returns.
 *
 * @param niceness how far it stands back when processors are short
 */
export function startChild(module, { args = [], niceness = 0, execArgv = [] } = {}) {
  const child = fork(fileURLToPath(new URL(module, import.meta.url)), args, { execArgv })
  if (niceness > 0) setPriority(child.pid, niceness)
  const waiting = new Map()
  let number = 0
  child.on('message', ({ id, answer, failure }) => {
    const { resolve, reject } = waiting.get(id)
    waiting.delete(id)
    if (failure === undefined) resolve(answer)
    else reject(new Error(failure))
  })
  child.once('exit', (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`${module} has ended: ${signal ?? code}`))
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  return {
    pid: child.pid,
    ask: (name, ...rest) =>
      new Promise((resolve, reject) => {
        waiting.set(number, { resolve, reject })
        child.send({ id: number++, name, rest }, (error) => error && reject(error))
      }),
    end: () => {
      child.kill('SIGKILL')
      return ended
    },
  }
}

/** In the child: answers with these functions. */
export function answerWith(functions) {
  process.on('message', async ({ id, name, rest }) => {
    try {
      process.send({ id, answer: (await functions[name](...rest)) ?? null })
    } catch (error) {
      process.send({ id, failure: error.stack })
    }
  })
  process.on('disconnect', () => process.exit())
}
