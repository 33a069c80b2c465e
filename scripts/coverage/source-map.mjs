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

/** [offset in the JavaScript, file and line of the TypeScript] of each segment of a map. Of files, the path as the map
 * has it. */
function places(text, path) {
  const { mappings, sources } = JSON.parse(readFileSync(path, 'utf8'))
  const found = []
  let start = 0
  let source = 0
  let line = 0
  for (const segments of mappings.split(';')) {
    let column = 0
    for (const segment of segments.split(',')) {
      const [columns = 0, files, lines = 0] = numbers(segment)
      column += columns
      source += files ?? 0
      line += lines
      if (files !== undefined) found.push([start + column, sources[source], line + 1])
    }
    start = text.indexOf('\n', start) + 1
  }
  return found
}

/** Tells which lines of which files a character has run of. */
export function tellLines(file, hasRun, tell) {
  file.places ??= places(file.text, file.map)
  for (const [offset, source, line] of file.places) if (hasRun[offset]) tell(source, line)
}
