import { constants } from 'node:buffer'
import type { Functions, Shared } from './binding.js'
import { checkFunctions, loadAddon } from './load.js'
import { countsYoungMemory, watcherKind } from './runtime.js'
import { slabPins, slabState, slabs } from './slabs.js'

const RECEIVED_LIMIT = 512
const RECORDS_LIMIT = 1024
const EVENTS_LIMIT = 256
const OUTGOING_BYTES = 64 * 1024

let dispatchEvents: (count: number) => void = () => {}

/** Sets the function that is called when sockets have events. */
export function onEvents(dispatch: (count: number) => void): void {
  dispatchEvents = dispatch
}

export const shared: Shared = {
  events: new Int32Array(2 * EVENTS_LIMIT),
  received: new Int32Array(3 * RECEIVED_LIMIT),
  contexts: new Int32Array(2 * RECEIVED_LIMIT),
  records: new Int32Array(4 * RECORDS_LIMIT),
  gathered: new Int32Array(1),
  outgoing: Buffer.from(new ArrayBuffer(OUTGOING_BYTES)),
  bodies: [],
  slabs,
  slabState,
  slabPins,
  maxBuffer: constants.MAX_LENGTH,
  countsYoungMemory: countsYoungMemory ? 1 : 0,
  watcherKind: watcherKind(),
  dispatch: (count) => dispatchEvents(count),
}

export const native: Functions = checkFunctions(loadAddon().attach(shared))
