import { addressText } from './connections/endpoint.js'
import { type Inspect, inspect, inspected } from './connections/inspection.js'
import { type ProtocolName, protocols } from './engine/constants.js'
import { argumentError, check, errnoError } from './engine/errors.js'
import { native } from './engine/native.js'
import { NN_SUB_SUBSCRIBE, NN_WS, NN_WS_ORIGINS } from './engine/option-numbers.js'
import { originList } from './engine/origins.js'
import { currentConnections, type Statistics, statisticsOf } from './engine/statistics.js'

/** What a device can forward, and the protocols of its two sides: messages, or requests, come in at the first. */
export const devicePatterns = {
  reqrep: ['rep', 'req'],
  survey: ['respondent', 'surveyor'],
  pipeline: ['pull', 'push'],
  pubsub: ['sub', 'pub'],
  pair: ['pair', 'pair'],
  bus: ['bus', 'bus'],
} as const satisfies Record<string, readonly [ProtocolName, ProtocolName]>

export type DevicePattern = keyof typeof devicePatterns

/** One of the two raw sockets of a device. */
export class DeviceSide {
  readonly #s: number
  readonly #endpoints: { address: string; bound: boolean }[] = []

  constructor(s: number) {
    this.#s = s
  }

  /** @returns the address, with the port that the system chose */
  bind(address: string | URL): string {
    return this.#attach('bind', address)
  }

  connect(address: string | URL): string {
    return this.#attach('connect', address)
  }

  stats(): Statistics {
    return statisticsOf(this.#s)
  }

  /** What `JSON.stringify()` and `console.log()` show. */
  toJSON(): { endpoints: { address: string; bound: boolean }[]; peers: number } {
    return { endpoints: [...this.#endpoints], peers: currentConnections(this.#s) }
  }

  /** @internal */
  [inspect.custom](depth: number, options: object, show: Inspect): string {
    return inspected(this, () => this.toJSON(), depth, options, show)
  }

  #attach(syscall: 'bind' | 'connect', given: unknown): string {
    const address = addressText(given, syscall)
    const endpoint = check(native[syscall](this.#s, address), syscall, JSON.stringify(address))
    const actual = native.address(this.#s, endpoint)
    const shown = typeof actual === 'string' ? actual : address
    this.#endpoints.push({ address: shown, bound: syscall === 'bind' })
    return shown
  }
}

/**
 * Forwards messages between its two sides, on threads of its own: neither JavaScript nor the event loop has to do with
 * them. It keeps the process alive until it is closed.
 *
 *     const device = new Device('pipeline')
 *     device.first.bind('tcp://*:5555') // Pushes send here
 *     device.second.bind('tcp://*:5556') // Pulls receive from here
 */
export class Device {
  readonly first: DeviceSide
  readonly second: DeviceSide
  readonly #descriptors: readonly [number, number]
  readonly #ended: Promise<void>
  readonly #pattern: DevicePattern
  #isClosed = false

  constructor(pattern: DevicePattern) {
    if (typeof pattern !== 'string' || !Object.hasOwn(devicePatterns, pattern)) {
      throw argumentError('device', 'the pattern', `one of ${Object.keys(devicePatterns).join(', ')}`, pattern)
    }
    this.#pattern = pattern
    const types = devicePatterns[pattern]
    let end: () => void
    this.#ended = new Promise((resolve) => {
      end = resolve
    })
    const opened = native.startDevice(protocols[types[0]], protocols[types[1]], () => end())
    if (typeof opened === 'number') throw errnoError(-opened, 'device')
    this.#descriptors = opened
    this.first = new DeviceSide(opened[0])
    this.second = new DeviceSide(opened[1])
    // As of all classes: web pages of other servers do not get in.
    for (const s of opened) check(native.setOption(s, NN_WS, NN_WS_ORIGINS, originList([], 'device').list), 'device')
    if (pattern === 'pubsub') {
      // All topics: only the subscribers behind the device know which ones they want.
      check(native.setOption(opened[0], protocols.sub, NN_SUB_SUBSCRIBE, new Uint8Array(0)), 'subscribe')
    }
  }

  /** Settles when what was forwarded before is delivered, or both sides have lingered for as long as they may. */
  close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true
      for (const s of this.#descriptors) native.close(s)
    }
    return this.#ended
  }

  /** What `JSON.stringify()` and `console.log()` show. */
  toJSON(): object {
    return {
      pattern: this.#pattern,
      closed: this.#isClosed,
      first: this.first.toJSON(),
      second: this.second.toJSON(),
    }
  }

  /** @internal */
  [inspect.custom](depth: number, options: object, show: Inspect): string {
    const { first, second } = this
    return inspected(this, () => ({ ...this.toJSON(), first, second }), depth, options, show)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
