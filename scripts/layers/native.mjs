// Layers of native/: includes point down only, and so do the symbols of object files, which form no circle.
import { dirname, join, relative } from 'node:path'
import { files, lines } from './files.mjs'
import { checkSymbols } from './symbols.mjs'

// Every layer may include its own files and the C library. 'include' is any public header,
// 'include/x.h' that one only (and what it includes itself).
const allowed = {
  platform: [],
  util: ['platform'],
  'util/sizes': [],
  loop: ['platform', 'util'],
  message: ['platform', 'util', 'include'],
  core: ['message', 'loop', 'platform', 'util', 'include'],
  protocols: ['protocols/parts', 'include/protocol.h', 'include/numbers'],
  'protocols/parts': ['include/protocol.h', 'util'],
  streams: ['core', 'message', 'loop', 'platform', 'util', 'include/numbers', 'include/stream.h'],
  transports: ['streams', 'include/transport.h', 'include/numbers'],
  // No stream lies under inproc: it is made with what transports of users are made with, and with messages.
  'transports/inproc': ['message', 'platform', 'util', 'include/transport.h', 'include/numbers'],
  api: ['protocols', 'transports', 'core', 'message', 'platform', 'util', 'util/sizes', 'include'],
  binding: ['include', 'platform', 'util/sizes'],
  include: [],
}
// The headers of single protocols and transports hold numbers, and what options of theirs look like.
const numberHeaders = new Set([
  'pair',
  'pubsub',
  'reqrep',
  'pipeline',
  'survey',
  'bus',
  'inproc',
  'ipc',
  'tcp',
  'ws',
  'tls',
])

function layerOf(path) {
  if (path.startsWith('protocols/parts/')) return 'protocols/parts'
  if (path.startsWith('transports/inproc')) return 'transports/inproc'
  if (path.startsWith('util/sizes')) return 'util/sizes'
  return path.split('/')[0]
}

/** The name under which `allowed` knows an included file, or undefined when it is none of ours. */
function target(include, file) {
  const publicHeader = /^nanomsg\/(.+)\.h$/.exec(include)
  if (publicHeader) return numberHeaders.has(publicHeader[1]) ? 'include/numbers' : `include/${publicHeader[1]}.h`
  if (include.startsWith('include/nanomsg/')) return target(include.slice('include/'.length), file)
  const path = include.includes('/') ? include : relative('native', join(dirname(file), include))
  return layerOf(path) in allowed ? layerOf(path) : undefined
}

function mayInclude(layer, to) {
  if (to === layer || allowed[layer].includes(to)) return true
  return to.startsWith('include/') && (layer === 'include' || allowed[layer].includes('include'))
}

// Headers and calls of single platforms, threads other than by platform/thread.h, and what POSIX has not. What all
// systems with sockets of BSD have (getifaddrs, SO_SNDBUF) stays where it is used.
const headers = [
  ...['epoll', 'event', 'eventfd', 'file', 'ioctl', 'random', 'sendfile', 'syscall', 'timerfd'].map(
    (name) => `sys/${name}`,
  ),
  ...['linux/\\w+', 'mach/\\w+', 'malloc/malloc', 'dlfcn', 'libproc', 'malloc', 'pthread', 'sched', 'semaphore'],
  ...['windows', 'winsock2'],
]
const calls = [
  ...['accept4', 'dladdr', 'dlsym', 'dup3', 'flock', 'gettid', 'ioctl', 'memfd_create', 'pipe2', 'prctl', 'syscall'],
  ...['getrandom', 'malloc_trim', 'malloc_usable_size', 'memmem', 'memrchr', 'mempcpy', 'strchrnul', 'pthread_\\w+'],
  ...['arc4random_buf', 'getpeereid', 'issetugid', 'kevent', 'kqueue', 'secure_getenv'],
]
const words = [
  'MSG_DONTWAIT',
  'MSG_NOSIGNAL',
  'SOCK_CLOEXEC',
  'SOCK_NONBLOCK',
  'SO_PEERCRED',
  '__GLIBC__',
  '__linux__',
  '__APPLE__',
  'SO_NOSIGPIPE',
]
const ofPlatforms = new RegExp(
  [
    `#\\s*include\\s*<(?:${headers.join('|')})\\.h>`,
    `\\b(?:${calls.join('|')})\\(`,
    `\\b(?:${words.join('|')})\\b`,
  ].join('|'),
)

function checkPlatform() {
  const problems = []
  for (const file of files('native', /\.(c|h|cc)$/)) {
    if (file.startsWith(join('native', 'platform'))) continue
    lines(file).forEach((line, index) => {
      const found = ofPlatforms.exec(line)
      if (found) problems.push(`${file}:${index + 1}: only native/platform knows ${found[0]}`)
    })
  }
  return problems
}

function checkIncludes() {
  const problems = []
  for (const file of files('native', /\.(c|h|cc)$/)) {
    const layer = layerOf(relative('native', file))
    lines(file).forEach((line, index) => {
      const match = /^\s*#\s*include\s*(?:"([^"]+)"|<(nanomsg\/[^>]+)>)/.exec(line)
      const to = match && target(match[1] ?? match[2], file)
      if (to && !mayInclude(layer, to))
        problems.push(`${file}:${index + 1}: ${layer} may not include ${match[1] ?? match[2]}`)
    })
  }
  return problems
}

/** One sentence for each dependency that points up, and for each circle. */
export function checkNative() {
  return [...checkIncludes(), ...checkPlatform(), ...checkSymbols()]
}
