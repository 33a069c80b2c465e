import {
  AF_SP,
  type NanomsgError,
  nn_bind,
  nn_close,
  nn_connect,
  nn_endpoint_address,
  nn_get_statistic,
  nn_socket,
} from 'nanomsg-native/nn'
import { failureOf, until } from '../api/support.js'

/** Sockets that are closed with their scope. */
export class Sockets {
  readonly #open: number[] = []

  add(s: number): number {
    this.#open.push(s)
    return s
  }

  open(protocol: number, domain: number = AF_SP): number {
    return this.add(nn_socket(domain, protocol))
  }

  /** Opens one of each type; the first is bound, the others are connected to it. */
  connected(...protocols: number[]): number[] {
    const [bound, ...others] = protocols.map((protocol) => this.open(protocol)) as [number, ...number[]]
    const address = bind(bound)
    for (const s of others) nn_connect(s, address)
    return [bound, ...others]
  }

  [Symbol.dispose](): void {
    for (const s of this.#open) {
      try {
        nn_close(s)
      } catch {
        // The test has closed it.
      }
    }
  }
}

let counter = 0

/** Binds to an address of this process. */
export function bind(s: number): string {
  const address = `inproc://nn-${counter++}`
  nn_bind(s, address)
  return address
}

/** Binds to a port that the system chooses. */
export const bindTcp = (s: number): string => nn_endpoint_address(s, nn_bind(s, 'tcp://127.0.0.1:0'))

export const untilStatistic = (s: number, statistic: number, value: number): Promise<void> =>
  until(() => nn_get_statistic(s, statistic) === value)

/** The error's name, for tables. */
export const codeOf = async (call: () => unknown): Promise<string> => ((await failureOf(call)) as NanomsgError).code
