import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as nn from 'nanomsg-native/nn'
import { expect, test } from 'vitest'

const exported = nn as unknown as Record<string, unknown>

function allSymbols(): nn.nn_symbol_properties[] {
  const symbols: nn.nn_symbol_properties[] = []
  for (let i = 0; ; i++) {
    const info = nn.nn_symbol_info(i)
    if (info === null) return symbols
    symbols.push(info)
  }
}

test('every symbol of the library is exported with its value', () => {
  const symbols = allSymbols()
  expect(symbols.length).toBeGreaterThan(100)
  expect(Object.fromEntries(symbols.map(({ name }) => [name, exported[name]]))).toEqual(
    Object.fromEntries(symbols.map(({ name, value }) => [name, value])),
  )
})

test('symbols have a namespace, a type and a unit', () => {
  const { NN_NS_SOCKET_OPTION, NN_TYPE_INT, NN_UNIT_MILLISECONDS } = nn
  expect(allSymbols().find(({ name }) => name === 'NN_LINGER')).toEqual({
    name: 'NN_LINGER',
    value: nn.NN_LINGER,
    ns: NN_NS_SOCKET_OPTION,
    type: NN_TYPE_INT,
    unit: NN_UNIT_MILLISECONDS,
  })
})

test('nn_symbol tells name and value, and null with EINVAL at the end', () => {
  const count = allSymbols().length
  expect(nn.nn_symbol(0)).toEqual({ name: 'NN_NS_NAMESPACE', value: 0 })
  for (const i of [-1, count, 2 ** 31 - 1]) {
    nn.nn_strerror(0)
    expect(nn.nn_symbol(i)).toBe(null)
    expect(nn.nn_errno()).toBe(nn.EINVAL)
    expect(nn.nn_symbol_info(i)).toBe(null)
  }
  expect(() => nn.nn_symbol(0.5)).toThrow(/EINVAL/)
})

const headers = join(__dirname, '../../native/include/nanomsg')
const textOf = (file: string) => readFileSync(join(headers, file), 'utf8')

test('every function of nn.h is exported', () => {
  const names = [...textOf('nn.h').matchAll(/^NN_EXPORT [\w *]*?\*?(nn_\w+)\(/gm)].map((match) => match[1]!)
  expect(names.length).toBeGreaterThan(20)
  expect(names.filter((name) => typeof exported[name] !== 'function')).toEqual([])
})

test('every constant of the headers is exported, with its value', () => {
  const files = readdirSync(headers).filter(
    (file) => !['loop.h', 'protocol.h', 'stream.h', 'transport.h'].includes(file),
  )
  const constants = files.flatMap((file) => [
    ...textOf(file).matchAll(/^#define ((?:NN|AF|PROTO|SP|E)_?[A-Z0-9_]+) \(?(-?\d+)\)?$/gm),
  ])
  expect(constants.length).toBeGreaterThan(80)
  // Events are for hosts of loops, as nanomsg/loop.h is.
  const missing = constants.filter(([, name, value]) => !/^NN_EVENT_/.test(name!) && exported[name!] !== Number(value))
  expect(missing.map(([line]) => line)).toEqual([])
  const macros = textOf('nn.h').matchAll(/^#define (NN_(?!EXPORT|H_)[A-Z_]+)\b/gm)
  expect([...macros].map((match) => match[1]!).filter((name) => !(name in exported))).toEqual([])
})
