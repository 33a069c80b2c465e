import { type FormatName, formatNames, ourFormatNames } from './formats.js'
import { toMilliseconds } from './seconds.js'

export type SocketType = 'push' | 'pull' | 'pub' | 'sub' | 'req' | 'rep' | 'surveyor' | 'respondent' | 'bus' | 'pair'

/** What an option brings, and what others ask for or exclude. */
export type Trait = 'socket' | 'writable' | 'readable' | 'sub' | 'data' | 'endpoint'

/** What the command line asks for. Times are in milliseconds; what was not given, or given below zero, is undefined. */
export interface Settings {
  verbosity: number
  socketType: SocketType | undefined
  binds: string[]
  connects: string[]
  receiveTimeout: number | undefined
  sendTimeout: number | undefined
  socketName: string | undefined
  tls: { cert?: string; key?: string; ca?: string; verify?: boolean }
  subscriptions: string[]
  format: FormatName
  interval: number | undefined
  delay: number | undefined
  body: Uint8Array | string | undefined
  /** Send lines of stdin instead of a body. */
  lines: boolean
  /** How many messages to send, or to receive. */
  count: number | undefined
  stats: boolean
}

type Argument =
  | { kind: 'none'; apply(settings: Settings): void }
  | { kind: 'text'; metavar: string; apply(settings: Settings, value: string): void }
  | { kind: 'number'; metavar: string; apply(settings: Settings, value: number): void }
  | { kind: 'whole number'; metavar: string; apply(settings: Settings, value: number): void }
  | {
      kind: 'choice'
      metavar: string
      choices: readonly string[]
      /** Those that the original does not know. */
      ourChoices: readonly string[]
      apply(settings: Settings, value: string): void
    }
  | { kind: 'file'; metavar: string; apply(settings: Settings, content: Uint8Array): void }
  /** Answers a question on stdout, and the program ends. */
  | { kind: 'question'; about: 'help' | 'version' }

export interface Option {
  readonly name: string
  readonly short?: string | undefined
  /** The name under which the program may be called to have this option set. */
  readonly executable?: string | undefined
  readonly group: string
  readonly help: string
  readonly argument: Argument
  readonly provides?: readonly Trait[] | undefined
  /** The option is refused when another one has brought this before. */
  readonly conflicts?: Trait | undefined
  readonly requires?: Trait | undefined
  /** Unknown to the original: has no abbreviation, and is absent from the text of `--help`, which is the original's. */
  readonly isOurs?: true | undefined
}

/** What every command line must bring. */
export const requiredTraits: readonly Trait[] = ['socket', 'endpoint']

export const defaultSettings = (): Settings => ({
  verbosity: 0,
  socketType: undefined,
  binds: [],
  connects: [],
  receiveTimeout: undefined,
  sendTimeout: undefined,
  socketName: undefined,
  tls: {},
  subscriptions: [],
  format: 'no',
  interval: undefined,
  delay: undefined,
  body: undefined,
  lines: false,
  count: undefined,
  stats: false,
})

function socketType(name: SocketType, provides: Trait[], requires?: Trait): Option {
  return {
    name,
    executable: `nn_${name}`,
    group: 'Socket Types',
    help: `Use NN_${name.toUpperCase()} socket type`,
    argument: { kind: 'none', apply: (settings) => (settings.socketType = name) },
    provides: ['socket', ...provides],
    conflicts: 'socket',
    requires,
  }
}

function endpoint(
  name: string,
  short: string | undefined,
  metavar: string,
  help: string,
  apply: (settings: Settings, value: string) => void,
): Option {
  return {
    name,
    short,
    group: 'Socket Options',
    help,
    argument: { kind: 'text', metavar, apply },
    provides: ['endpoint'],
  }
}

function formatFlag(name: FormatName, short: string | undefined, help: string, isOurs?: true): Option {
  return {
    isOurs,
    name,
    short,
    group: 'Input Options',
    help,
    argument: { kind: 'none', apply: (settings) => (settings.format = name) },
    requires: 'readable',
  }
}

function tlsFile(name: string, help: string, apply: (tls: Settings['tls'], file: string) => void): Option {
  return {
    name,
    group: 'Socket Options',
    help,
    argument: { kind: 'text', metavar: 'FILE', apply: ({ tls }, file) => apply(tls, file) },
    isOurs: true,
  }
}

/** All options, in the order of the help text. Parsing, help and error messages come from this table. */
export const options: readonly Option[] = [
  {
    name: 'verbose',
    short: 'v',
    group: 'Generic',
    help: 'Increase verbosity of the nanocat',
    argument: { kind: 'none', apply: (settings) => (settings.verbosity += 1) },
  },
  {
    name: 'silent',
    short: 'q',
    group: 'Generic',
    help: 'Decrease verbosity of the nanocat',
    argument: { kind: 'none', apply: (settings) => (settings.verbosity -= 1) },
  },
  {
    name: 'help',
    short: 'h',
    group: 'Generic',
    help: 'This help text',
    argument: { kind: 'question', about: 'help' },
  },
  {
    name: 'version',
    group: 'Generic',
    help: 'Print the version',
    argument: { kind: 'question', about: 'version' },
    isOurs: true,
  },

  socketType('push', ['writable'], 'data'),
  socketType('pull', ['readable']),
  socketType('pub', ['writable'], 'data'),
  socketType('sub', ['readable', 'sub']),
  socketType('req', ['writable', 'readable'], 'data'),
  socketType('rep', ['writable', 'readable']),
  socketType('surveyor', ['writable', 'readable'], 'data'),
  socketType('respondent', ['writable', 'readable']),
  socketType('bus', ['writable', 'readable']),
  socketType('pair', ['writable', 'readable']),

  endpoint('bind', undefined, 'ADDR', 'Bind socket to the address ADDR', ({ binds }, address) => binds.push(address)),
  endpoint('connect', undefined, 'ADDR', 'Connect socket to the address ADDR', ({ connects }, address) =>
    connects.push(address),
  ),
  endpoint('bind-ipc', 'X', 'PATH', 'Bind socket to the ipc address "ipc://PATH".', ({ binds }, path) =>
    binds.push(`ipc://${path}`),
  ),
  endpoint('connect-ipc', 'x', 'PATH', 'Connect socket to the ipc address "ipc://PATH".', ({ connects }, path) =>
    connects.push(`ipc://${path}`),
  ),
  endpoint('bind-local', 'L', 'PORT', 'Bind socket to the tcp address "tcp://127.0.0.1:PORT".', ({ binds }, port) =>
    binds.push(`tcp://127.0.0.1:${port}`),
  ),
  endpoint(
    'connect-local',
    'l',
    'PORT',
    'Connect socket to the tcp address "tcp://127.0.0.1:PORT".',
    ({ connects }, port) => connects.push(`tcp://127.0.0.1:${port}`),
  ),
  {
    name: 'recv-timeout',
    group: 'Socket Options',
    help: 'Set timeout for receiving a message',
    argument: {
      kind: 'number',
      metavar: 'SEC',
      apply: (settings, seconds) => (settings.receiveTimeout = toMilliseconds(seconds)),
    },
    requires: 'readable',
  },
  {
    name: 'send-timeout',
    group: 'Socket Options',
    help: 'Set timeout for sending a message',
    argument: {
      kind: 'number',
      metavar: 'SEC',
      apply: (settings, seconds) => (settings.sendTimeout = toMilliseconds(seconds)),
    },
    requires: 'writable',
  },
  {
    name: 'socket-name',
    group: 'Socket Options',
    help: 'Name of the socket for statistics',
    argument: { kind: 'text', metavar: 'NAME', apply: (settings, name) => (settings.socketName = name) },
  },
  tlsFile('cacert', 'Authorities that certificates of peers come from (PEM), for tls+tcp and wss', (tls, file) => {
    tls.ca = file
  }),
  tlsFile('cert', 'Our certificate (PEM), for tls+tcp and wss', (tls, file) => {
    tls.cert = file
  }),
  tlsFile('key', 'Key of our certificate (PEM), unless it stands in the same file', (tls, file) => {
    tls.key = file
  }),
  {
    name: 'insecure',
    group: 'Socket Options',
    help: 'Accept any certificate of the peer that is connected to',
    argument: { kind: 'none', apply: ({ tls }) => (tls.verify = false) },
    isOurs: true,
  },

  {
    name: 'subscribe',
    group: 'SUB Socket Options',
    help:
      'Subscribe to the prefix PREFIX. Note: socket will be subscribed to everything (empty prefix) ' +
      'if no prefixes are specified on the command-line.',
    argument: { kind: 'text', metavar: 'PREFIX', apply: ({ subscriptions }, prefix) => subscriptions.push(prefix) },
    requires: 'sub',
  },

  {
    name: 'format',
    group: 'Input Options',
    help: 'Use echo format FORMAT (same as the options below)',
    argument: {
      kind: 'choice',
      metavar: 'FORMAT',
      choices: formatNames,
      ourChoices: ourFormatNames,
      apply: (settings, name) => (settings.format = name as FormatName),
    },
    requires: 'readable',
  },
  formatFlag('raw', undefined, 'Dump message as is (Note: no delimiters are printed)'),
  formatFlag(
    'ascii',
    'A',
    'Print ASCII part of message delimited by newline. All non-ascii characters replaced by dot.',
  ),
  formatFlag('quoted', 'Q', 'Print each message on separate line in double quotes with C-like character escaping'),
  formatFlag(
    'msgpack',
    undefined,
    'Print each message as msgpacked string (raw type). This is useful for programmatic parsing.',
  ),
  formatFlag('hex', undefined, 'Print each message on separate line in double quotes with hex values'),
  formatFlag(
    'json',
    undefined,
    'Print each message as a JSON object on a line of its own, with its length and its text, or base64 if it is none',
    true,
  ),

  {
    name: 'interval',
    short: 'i',
    group: 'Output Options',
    help: 'Send message (or request) every SEC seconds',
    argument: {
      kind: 'number',
      metavar: 'SEC',
      apply: (settings, seconds) => (settings.interval = toMilliseconds(seconds)),
    },
    requires: 'writable',
  },
  {
    name: 'delay',
    short: 'd',
    group: 'Output Options',
    help: 'Wait for SEC seconds before sending message (useful for one-shot PUB sockets)',
    argument: {
      kind: 'number',
      metavar: 'SEC',
      apply: (settings, seconds) => (settings.delay = toMilliseconds(seconds) ?? 0),
    },
  },
  {
    name: 'data',
    short: 'D',
    group: 'Output Options',
    help:
      'Send DATA to the socket and quit for PUB, PUSH, PAIR, BUS socket. ' +
      'Use DATA to reply for REP or  RESPONDENT socket. Send DATA as request for REQ or SURVEYOR socket.',
    argument: { kind: 'text', metavar: 'DATA', apply: (settings, data) => (settings.body = data) },
    provides: ['data'],
    conflicts: 'data',
    requires: 'writable',
  },
  {
    name: 'file',
    short: 'F',
    group: 'Output Options',
    help: 'Same as --data but get data from file PATH',
    argument: { kind: 'file', metavar: 'PATH', apply: (settings, content) => (settings.body = content) },
    provides: ['data'],
    conflicts: 'data',
    requires: 'writable',
  },
  {
    name: 'lines',
    group: 'Output Options',
    help: 'Send each line of standard input as a message, without its newline',
    argument: { kind: 'none', apply: (settings) => (settings.lines = true) },
    provides: ['data'],
    conflicts: 'data',
    requires: 'writable',
    isOurs: true,
  },

  {
    name: 'count',
    group: 'Generic',
    help: 'Send N messages (PUSH, PUB, REQ, SURVEYOR) or receive N messages (all others), and quit',
    argument: { kind: 'whole number', metavar: 'N', apply: (settings, count) => (settings.count = count) },
    isOurs: true,
  },
  {
    name: 'stats',
    group: 'Generic',
    help: 'Show messages and megabytes per second and the number of peers, if standard error is a terminal',
    argument: { kind: 'none', apply: (settings) => (settings.stats = true) },
    isOurs: true,
  },
]
