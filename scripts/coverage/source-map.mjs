// From places in compiled JavaScript to lines of TypeScript.
import { readFileSync } from 'node:fs'

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** The numbers of a segment: base 64 digits of 5 bits each, the lowest first, and the sign in the first bit. */
function numbers(segment) {
  const found = []
  let value = 0
  let shift = 0
  for (const digit of segment) {
    const bits = DIGITS.indexOf(digit)
    value |= (bits & 31) << shift
    shift += 5
    if (bits & 32) continue
    found.push(value & 1 ? -(value >> 1) : value >> 1)
    value = 0
    shift = 0
  }
  return found
}

/** [offset in the JavaScript, line of the TypeScript] of each segment of a map. */
function places(text, map) {
  const found = []
  let start = 0
  let line = 0
  for (const segments of JSON.parse(readFileSync(map, 'utf8')).mappings.split(';')) {
    let column = 0
    for (const segment of segments.split(',')) {
      const [columns = 0, , lines = 0] = numbers(segment)
      column += columns
      line += lines
      if (segment !== '') found.push([start + column, line + 1])
    }
    start = text.indexOf('\n', start) + 1
  }
  return found
}

/** Adds to a file's lines those of which a character has run. */
export function mappedLines(file, hasRun) {
  file.places ??= places(file.text, file.map)
  for (const [offset, line] of file.places) if (hasRun[offset]) file.lines.add(line)
}
