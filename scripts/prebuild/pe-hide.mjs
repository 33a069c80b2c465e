// Takes from a library for Windows what it exports besides what it is for: the unwinder of the C++ library marks its
// functions as exports wherever it is linked in. And the time at which it was linked, so that a build can be repeated.
import { readFileSync, writeFileSync } from 'node:fs'
import { exportsOf, layoutOf, textAt } from './pe.mjs'

/** The names stay in their order, which the loader relies on. */
function shortenExports(bytes, layout, isShown) {
  const { table, functions, names, places, count } = exportsOf(bytes, layout)
  let kept = 0
  for (let i = 0; i < count; i++) {
    const name = bytes.readUInt32LE(names + i * 4)
    const place = bytes.readUInt16LE(places + i * 2)
    if (isShown(textAt(bytes, layout.at(name)))) {
      bytes.writeUInt32LE(name, names + kept * 4)
      bytes.writeUInt16LE(place, places + kept * 2)
      kept++
    } else bytes.writeUInt32LE(0, functions + place * 4)
  }
  bytes.writeUInt32LE(kept, table + 24)
  bytes.fill(0, names + kept * 4, names + count * 4)
  bytes.fill(0, places + kept * 2, places + count * 2)
  bytes.writeUInt32LE(0, table + 4)
}

/** `isShown` is asked for each name. */
export function hideExports(path, isShown) {
  const bytes = readFileSync(path)
  const layout = layoutOf(bytes)
  shortenExports(bytes, layout, isShown)
  bytes.writeUInt32LE(0, layout.header + 8)
  writeFileSync(path, bytes)
}
