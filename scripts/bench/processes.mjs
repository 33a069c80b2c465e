/** The processes of a measurement: a side of Node.js, or a program in C. Each tells in messages what it sees. */
import { fork, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const SIDE = fileURLToPath(new URL('side.mjs', import.meta.url))
const CLOCK_TICKS_PER_SECOND = 100

/** CPU time that a process has used; NaN where the system does not tell. */
export function cpuSeconds(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND
  } catch {
    return Number.NaN
  }
}

/** Memory of its own that a process has, in bytes; NaN where the system does not tell. */
export function ownMemory(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/RssAnon:\s+(\d+)/)[1]) * 1024
  } catch {
    return Number.NaN
  }
}

/** What a process tells, in order; waiting for more fails when it ends. */
class Mail {
  #told = []
  #waiting = []
  #error

  put(message) {
    const next = this.#waiting.shift()
    if (next === undefined) this.#told.push(message)
    else next.resolve(message)
  }

  end(error) {
    this.#error ??= error
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }

  next() {
    if (this.#told.length > 0) return Promise.resolve(this.#told.shift())
    if (this.#error !== undefined) return Promise.reject(this.#error)
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }
}

function startChild(peer, [role, address, bytes, count, checked], put) {
  if (peer.program === undefined) {
    const args = [peer.name, role, address, bytes, count, checked]
    const child = fork(SIDE, args.map(String), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    child.on('message', put)
    return child
  }
  const child = spawn(peer.program, [role, address, String(bytes)], { stdio: ['ignore', 'pipe', 'inherit'] })
  createInterface({ input: child.stdout }).on('line', (line) => put(JSON.parse(line)))
  return child
}

/** @param onAllow hears what this process allows the other one */
export function start(peer, role, address, { bytes, count = 1 }, isChecked, onAllow) {
  const mail = new Mail()
  const put = (message) => (message.allow === undefined ? mail.put(message) : onAllow(message))
  const child = startChild(peer, [role, address, bytes, count, isChecked ? 'checked' : 'counted'], put)
  child.on('error', (error) => mail.end(error))
  child.on('exit', (code, signal) => mail.end(new Error(`${peer.name}: ${role} ended early (${signal ?? code})`)))
  return {
    pid: child.pid,
    next: () => mail.next(),
    send: (message) => child.connected && child.send(message),
    end: (error) => {
      mail.end(error)
      child.kill('SIGKILL')
    },
  }
}
