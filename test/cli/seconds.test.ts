import { expect, test } from 'vitest'
import { parseFloatingPoint, toMilliseconds } from '../../lib/cli/seconds.js'

test.each([
  ['1', 1],
  ['+1', 1],
  ['-1.5', -1.5],
  ['.5', 0.5],
  ['5.', 5],
  ['1e3', 1000],
  ['2.5E-1', 0.25],
  [' \t7', 7],
  ['0x10', 16],
  ['-0X1.8p1', -3],
  ['0x.8', 0.5],
  ['inf', Infinity],
  ['-Infinity', -Infinity],
  ['nan', Number.NaN],
])('%j is a number, as for strtof', (text, value) => {
  expect(parseFloatingPoint(text)).toBe(value)
})

test.each(['', ' ', '.', 'abc', '1x', '1 ', '1e', '1e2x', '=1', '0x', '0x.', '--1', '1,5', 'infinit'])(
  '%j is not a number, as for strtof',
  (text) => {
    expect(parseFloatingPoint(text)).toBeUndefined()
  },
)

test.each([
  [0, 0],
  [1, 1000],
  [0.9, 900],
  [1.001, 1001],
  [0.0004, 0],
  [1e9, 2147483647],
  [Infinity, 2147483647],
  [-1, undefined],
  [-Infinity, undefined],
  [Number.NaN, undefined],
])('%d seconds are %s milliseconds', (seconds, milliseconds) => {
  expect(toMilliseconds(seconds)).toBe(milliseconds)
})
