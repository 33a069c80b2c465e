const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
const HEXADECIMAL = /^([+-]?)0x([\da-f]+\.?[\da-f]*|\.[\da-f]+)(?:p([+-]?\d+))?$/i
const INFINITE = /^([+-]?)inf(inity)?$/i
const NOT_A_NUMBER = /^[+-]?nan(\(\w*\))?$/i

/** The longest time that timers and socket options hold, about 24 days. */
const MAX_MS = 2 ** 31 - 1

/** Reads a number as strtof of the C library does, which may have white space in front only; undefined when it is
 *  none. */
export function parseFloatingPoint(text: string): number | undefined {
  const word = text.trimStart()
  if (DECIMAL.test(word)) return Number(word)
  if (NOT_A_NUMBER.test(word)) return Number.NaN
  const infinite = INFINITE.exec(word)
  if (infinite) return infinite[1] === '-' ? -Infinity : Infinity
  const hexadecimal = HEXADECIMAL.exec(word)
  if (!hexadecimal) return undefined
  const [, sign, digits = '', exponent = '0'] = hexadecimal
  const [whole = '', fraction = ''] = digits.split('.')
  const value = Number(`0x${whole}${fraction}`) * 2 ** (Number(exponent) - 4 * fraction.length)
  return sign === '-' ? -value : value
}

/** Seconds of the command line in milliseconds; undefined for what means "none": below zero, or not a number. */
export function toMilliseconds(seconds: number): number | undefined {
  if (!(seconds >= 0)) return undefined
  return Math.min(Math.round(seconds * 1000), MAX_MS)
}
