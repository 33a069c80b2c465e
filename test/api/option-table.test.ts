/** The options of sockets stand in one table, lib/engine/options.ts, beside those of TLS and headers. Here it is
 * compared with the engine, its symbols, the properties of sockets, nanocat, and the documentation. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Pull, Req, type Socket, Surveyor } from 'nanomsg-native'
import * as nn from 'nanomsg-native/nn'
import { describe, expect, test } from 'vitest'
import { defaultSettings, options as switches } from '../../lib/cli/options.js'
import { type CatSocket, configure } from '../../lib/cli/sockets.js'
import { commonOptions, options } from '../../lib/engine/options.js'

const root = join(__dirname, '..', '..')
const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8')
const constants = nn as unknown as Readonly<Record<string, number>>

/** What only programs in C, or the functions of nanomsg-native/nn, can use; and what other properties and calls set. */
const others: Readonly<Record<string, string>> = {
  NN_SNDFD: 'libuv polls the loop',
  NN_RCVFD: 'libuv polls the loop',
  NN_DOMAIN: 'the class says it',
  NN_PROTOCOL: 'the class says it',
  NN_SOCKET_NAME: 'name',
  NN_SUB_SUBSCRIBE: 'subscribe()',
  NN_SUB_UNSUBSCRIBE: 'unsubscribe()',
  NN_SUB_SUBSCRIPTIONS: 'errors of receive()',
  NN_REQ_CONTEXT_ATTEMPTS: 'attempts of request()',
  NN_REQ_CONTEXT_RESEND_IVL: 'retryAfter of request()',
  NN_IPC_SEC_ATTR: 'kept, without effect',
  NN_IPC_OUTBUFSZ: 'kept, without effect',
  NN_IPC_INBUFSZ: 'kept, without effect',
  NN_IPC_CREDENTIALS: 'peers and events',
  NN_WS_REQUEST_HEADERS: 'requestHeaders',
  NN_WS_ORIGINS: 'origins',
  NN_ADMISSION_TIMEO: 'admit, admitTimeout',
  NN_TCP_KEEP_IDLE: 'keepAlive.idle',
  NN_TCP_KEEP_INTERVAL: 'keepAlive.interval',
  NN_TCP_KEEP_COUNT: 'keepAlive.count',
  NN_IPC_UID: 'ipcOwner.uid',
  NN_IPC_GID: 'ipcOwner.gid',
  NN_WS_PEER_HEADERS: 'peers and events',
  NN_TLS_CERT: 'tls.cert',
  NN_TLS_KEY: 'tls.key',
  NN_TLS_CA: 'tls.ca',
  NN_TLS_VERIFY: 'tls.verify',
  NN_TLS_SERVER_NAME: 'tls.serverName',
  NN_TLS_REQUIRE_CLIENT_CERT: 'tls.requireClientCertificate',
  NN_TLS_PEER_CERTIFICATE: 'peers and events',
}

const withoutEffect = ['NN_IPC_SEC_ATTR', 'NN_IPC_OUTBUFSZ', 'NN_IPC_INBUFSZ']

/** The level of an option by its name, as the headers name them. */
function levelOf(name: string): number {
  const [, level] = /^NN_(TCP|IPC|WS|TLS|SUB|REQ|SURVEYOR)_/.exec(name) ?? []
  return level === undefined ? nn.NN_SOL_SOCKET : constants[`NN_${level}`]!
}

const rows = Object.entries(options) as [string, { level: number; number: number; kind: string }][]
const isInTable = (name: string) =>
  rows.some(([, { level, number }]) => level === levelOf(name) && number === constants[name])

/** Names of options, as the engine lists them: those of all sockets, and those of types and transports. */
function symbolsOfOptions(): string[] {
  const names: string[] = []
  for (let i = 0; ; i++) {
    const symbol = nn.nn_symbol_info(i)
    if (symbol === null) return names
    if (symbol.ns === nn.NN_NS_SOCKET_OPTION || symbol.ns === nn.NN_NS_TRANSPORT_OPTION) names.push(symbol.name)
  }
}

/** Level, name and first value of the rows of native/core/options.c. */
const rowsInC = [
  ...read('native', 'core', 'options.c').matchAll(/^ {4}ROW\((NN_\w+), (NN_\w+), \w+,\s+([^,]+),/gm),
].map(([, level, name, initial]) => ({ level: level!, name: name!, initial: initial!.trim() }))

const known = (name: string) => isInTable(name) || Object.hasOwn(others, name)

describe('the table of options', () => {
  test('has every option that the engine lists, or a reason why it is none of ours', () => {
    const names = symbolsOfOptions()
    expect(names.length).toBeGreaterThan(20)
    expect(names.filter((name) => !known(name))).toEqual([])
  })

  test('has every row of the engine, at its level', () => {
    expect(rowsInC.length).toBeGreaterThan(15)
    expect(rowsInC.filter(({ name }) => !known(name))).toEqual([])
    expect(rowsInC.filter(({ level, name }) => constants[level] !== levelOf(name))).toEqual([])
  })

  test('has nothing that the engine does not have', () => {
    const names = Object.keys(constants).filter((name) => known(name) && typeof constants[name] === 'number')
    for (const [property, { level, number }] of rows) {
      expect(names.some((name) => levelOf(name) === level && constants[name] === number) ? '' : property).toBe('')
    }
  })

  test('gives each socket its properties, with the first values that the documentation names', () => {
    const documentation = read('lib', 'engine', 'options.ts') + read('lib', 'sockets', 'req.ts')
    const text = documentation + read('lib', 'sockets', 'surveyor.ts')
    const sockets: Socket[] = [new Pull(), new Req(), new Surveyor()]
    for (const name of Object.keys(options)) {
      const owner = sockets.find((socket) => name in socket)
      const [, value] = new RegExp(`Default:[\\s*]*([\\w-]+)[^/]*\\*/\\s*${name}\\?:`).exec(text) ?? []
      expect([name, String(Reflect.get(owner ?? {}, name))]).toEqual([name, value])
      expect(Object.hasOwn(commonOptions, name)).toBe(name in sockets[0]!)
    }
    for (const socket of sockets) void socket.close()
  })

  test('has what nanocat sets', () => {
    const settings = { ...defaultSettings(), socketType: 'pull' as const }
    for (const { argument } of switches) {
      if (argument.kind === 'number') argument.apply(settings, 1)
      if (argument.kind === 'text') argument.apply(settings, 'x')
    }
    const set: (string | symbol)[] = []
    const socket = new Proxy({} as CatSocket, {
      set(_, name) {
        set.push(name)
        return true
      },
    })
    configure(socket, settings)
    expect(set).toEqual(expect.arrayContaining(['sendTimeout', 'receiveTimeout', 'name', 'tls']))
    expect(set.filter((name) => !Object.hasOwn(options, name) && name !== 'name' && name !== 'tls')).toEqual([])
  })

  test('is the list of the documentation', () => {
    const [, list = ''] = /## Options\n\n([\s\S]*?)\n\n/.exec(read('docs', 'api.md')) ?? []
    const documented = [...list.matchAll(/`([a-z]\w+)`/g)].map(([, name]) => name!)
    expect(documented.sort()).toEqual(
      [
        ...Object.keys(options),
        ...['name', 'requestHeaders', 'origins', 'tls', 'admit', 'admitTimeout', 'ipcOwner', 'keepAlive', 'codec'],
      ].sort(),
    )
  })

  test('is described for programs in C', () => {
    const text = ['compatibility.md', 'tls.md', 'c.md', 'nn.md', 'extending.md', 'guide.md'].map((name) =>
      read('docs', name),
    )
    const missing = [...symbolsOfOptions(), ...rowsInC.map(({ name }) => name)].filter(
      (name) => !text.some((page) => page.includes(name)),
    )
    expect(missing.filter((name) => !withoutEffect.includes(name))).toEqual([])
  })
})
