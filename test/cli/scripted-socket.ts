import { EventEmitter, once } from 'node:events'
import type { CatSocket, Counts, SocketModule } from '../../lib/cli/sockets.js'

/** An error as the engine's calls give it. */
export function refusal(code: string, message: string = code): Error {
  return Object.assign(new Error(message), { code })
}

/** What the calls of a scripted socket answer, one after the other; where the script ends, a call waits for the
 *  close. */
export interface Script {
  receive?: readonly (string | Uint8Array | Error)[]
  send?: readonly (undefined | Error)[]
  refuse?: Readonly<Record<string, Error>>
  /** What the socket has counted when it is asked. */
  counts?: () => Counts
}

export const noCounts = { messagesSent: 0, messagesReceived: 0, bytesSent: 0, bytesReceived: 0, currentConnections: 0 }

/** Socket classes that follow a script and write down what was asked of them. */
export function scripted(script: Script = {}) {
  const calls: string[] = []
  const closing = new AbortController()
  const toReceive = [...(script.receive ?? [])]
  const toSend = [...(script.send ?? [])]

  function note(call: string, ...details: unknown[]) {
    calls.push([call, ...details.map((detail) => JSON.stringify(detail))].join(' '))
    const error = script.refuse?.[call]
    if (error) throw error
  }

  async function untilClosed(): Promise<never> {
    if (!closing.signal.aborted) await once(closing.signal, 'abort')
    throw refusal('EBADF')
  }

  const events = new EventEmitter()

  class ScriptedSocket implements CatSocket {
    on(type: string, listener: (event: never) => void) {
      events.on(type, listener as () => void)
    }
    stats() {
      if (closing.signal.aborted) throw refusal('EBADF')
      return script.counts?.() ?? noCounts
    }
    set sendTimeout(timeout: number) {
      note('sendTimeout', timeout)
    }
    set receiveTimeout(timeout: number) {
      note('receiveTimeout', timeout)
    }
    set name(name: string) {
      note('name', name)
    }
    set tls(tls: object) {
      note('tls', tls)
    }
    bind(address: string) {
      note('bind', address)
      return { address: address.replace(/:0$/, ':4711') }
    }
    connect(address: string) {
      note('connect', address)
    }
    subscribe(...prefixes: string[]) {
      note('subscribe', ...prefixes)
    }
    async send(body: Uint8Array | string) {
      note('send', body.toString())
      const answer = toSend.shift()
      if (answer) throw answer
    }
    async receive(options?: { timeout?: number }): Promise<Uint8Array> {
      note('receive', ...(options ? [options] : []))
      const message = toReceive.shift() ?? (await untilClosed())
      if (message instanceof Error) throw message
      return Buffer.from(message as Uint8Array)
    }
    async close(options?: { linger?: number }) {
      note('close', ...(options ? [options] : []))
      closing.abort()
    }
  }

  const names = ['Push', 'Pull', 'Pub', 'Sub', 'Req', 'Rep', 'Surveyor', 'Respondent', 'Bus', 'Pair']
  const sockets: SocketModule = Object.fromEntries(names.map((name) => [name, ScriptedSocket]))
  return { sockets, calls, events }
}
