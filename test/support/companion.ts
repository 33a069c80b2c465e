import { type ChildProcess, spawn } from 'node:child_process'

/**
 * A shell with this text runs its arguments, in a process group of its own. A process beside them waits for the end of
 * standard input, which comes even when the process at the other end is killed by SIGKILL, and kills the group.
 */
// What runs in the background reads /dev/null, unless its input is named.
export const companionShell = 'exec 3<&0; { read -r _; kill -KILL 0; } <&3 & exec 3<&-; exec "$@" </dev/null'

/**
 * Starts a program that ends when this process ends, in whatever way, or loses the process that started it: vitest. The
 * program and what it has started are one process group, by which they can be killed.
 */
export function spawnCompanion(file: string, args: string[]): ChildProcess {
  const child = spawn('sh', ['-c', companionShell, 'sh', file, ...args], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  child.stdin?.on('error', () => {})
  const letGo = () => child.stdin?.destroy()
  process.once('disconnect', letGo)
  child.once('exit', () => process.off('disconnect', letGo))
  return child
}
