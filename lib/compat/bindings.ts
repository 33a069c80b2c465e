/** What lies under the sockets: functions of the C API as the npm package has them, and the library's constants. What
 * fails returns -1, and Errno() and Err() say why. */
import { NanomsgError } from '../engine/errors.js'
import { NN_DONTWAIT, NN_MSG, NN_SUB } from '../nn/constants.js'
import { nn_device } from '../nn/device.js'
import { nn_errno } from '../nn/failing.js'
import { nn_recv, nn_send } from '../nn/messages.js'
import { nn_getsockopt, nn_setsockopt } from '../nn/options.js'
import { nn_bind, nn_close, nn_connect, nn_shutdown, nn_socket, nn_strerror, nn_term } from '../nn/sockets.js'
import { nn_symbol, nn_symbol_info, type nn_symbol_properties } from '../nn/symbols.js'
import { bytesOf } from './dispatch-queue.js'
import { SocketError } from './errors.js'
import { Poll } from './polls.js'

function attempt<Result>(call: () => Result): Result | -1
function attempt<Result, Failed>(call: () => Result, failed: Failed): Result | Failed
function attempt(call: () => unknown, ...failed: unknown[]): unknown {
  try {
    return call()
  } catch (error) {
    if (error instanceof NanomsgError) return failed.length > 0 ? failed[0] : -1
    throw error
  }
}

/** What the engine takes for a whole number: as ever, nothing is refused. */
function whole(value: unknown): number {
  try {
    return Number(value) | 0
  } catch {
    return 0 // a symbol, or an object without a value
  }
}

const functions = {
  Socket: (domain: number, protocol: number) => attempt(() => nn_socket(whole(domain), whole(protocol))),
  Close: (s: number) => attempt(() => nn_close(s)),
  Bind: (s: number, address: string) => attempt(() => nn_bind(s, `${address}`)),
  Connect: (s: number, address: string) => attempt(() => nn_connect(s, `${address}`)),
  Shutdown: (s: number, endpoint: number) => attempt(() => nn_shutdown(s, whole(endpoint))),
  /** Now or not at all. */
  Send: (s: number, message: unknown, _flags?: number) =>
    attempt(() => nn_send(s, bytesOf(message), undefined, NN_DONTWAIT)),
  Recv: (s: number, _flags?: number): Buffer | -1 => attempt(() => Buffer.from(nn_recv(s, NN_MSG, NN_DONTWAIT))),
  /** @param option NN_SUB_SUBSCRIBE or NN_SUB_UNSUBSCRIBE */
  Chan: (s: number, option: number, channel: string | Uint8Array) =>
    attempt(() => nn_setsockopt(s, NN_SUB, whole(option), bytesOf(channel))),
  Getopt: (s: number, level: number, option: number) =>
    attempt(() => nn_getsockopt(s, whole(level), whole(option)), undefined),
  Setopt: (s: number, level: number, option: number, value: number) =>
    attempt(() => nn_setsockopt(s, whole(level), whole(option), whole(value))),
  Errno: () => nn_errno(),
  Err: () => nn_strerror(nn_errno()),
  Symbol(i: number) {
    const symbol = nn_symbol(whole(i))
    if (symbol === null) throw new SocketError(nn_errno(), 'symbol')
    const { value, name } = symbol
    return { value, name }
  },
  SymbolInfo(i: number): nn_symbol_properties | undefined {
    const info = nn_symbol_info(whole(i))
    if (info === null) return undefined
    const { value, ns, type, unit, name } = info
    return { value, ns, type, unit, name }
  },
  Term: nn_term,
  /** Calls back whenever the socket can receive or, for a sender, send. */
  PollSocket: (s: number, isSender: boolean, callback: (events: number) => void): Poll =>
    new Poll(s, isSender, callback),
  PollStop: (poll: Poll): void => poll.stop(),
  /** Runs a device, and calls back with the errno that has ended it. */
  DeviceWorker(s1: number, s2: number, callback: (errno: number) => void): void {
    if (typeof callback !== 'function') throw new TypeError('callback must be a function')
    nn_device(s1, s2).catch((error: NanomsgError) => process.nextTick(callback, error.errno))
  },
}

function allSymbols(): Record<string, number> {
  const symbols: Record<string, number> = {}
  for (let i = 0; ; i++) {
    const info = nn_symbol_info(i)
    if (info === null) return symbols
    symbols[info.name] = info.value
  }
}

export type Bindings = typeof functions & { readonly [constant: string]: number | ((...args: never[]) => unknown) }

export const bindings: Bindings = { ...allSymbols(), ...functions }
