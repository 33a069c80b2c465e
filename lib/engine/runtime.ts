/** What the runtime is: Node.js, or one that has another event loop under the same modules. */
import { WATCH_BY_POLL, WATCH_BY_THREAD } from './binding.js'

/** Bun's libuv ends the process when a descriptor is to be polled, and Deno's reports a descriptor only once. */
const hasLibuv = process.versions.bun === undefined && process.versions.deno === undefined

/** V8 does so from 13.6 (Node.js 24) on. */
export const countsYoungMemory =
  process.versions.bun === undefined && Number.parseInt(process.versions.v8 ?? '', 10) >= 13

/** Windows has no descriptor that stands for many, as libuv would poll. */
const canPoll = hasLibuv && process.platform !== 'win32'

/** `NANOMSG_NATIVE_WATCHER=thread` has Node.js do as other runtimes do, so that it can be tested there. */
export function watcherKind(): typeof WATCH_BY_POLL | typeof WATCH_BY_THREAD {
  return canPoll && process.env.NANOMSG_NATIVE_WATCHER !== 'thread' ? WATCH_BY_POLL : WATCH_BY_THREAD
}
