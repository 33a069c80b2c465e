// Prints figures of coverage, and compares them with their floors.

/** The folder that a file's figures are added to. */
const folderOf = (file) => file.split('/').slice(0, -1).slice(0, 2).join('/')

function sum(files) {
  const total = { lines: 0, linesHit: 0, branches: 0, branchesHit: 0 }
  for (const { lines, branches } of files) {
    for (const count of lines.values()) {
      total.lines++
      if (count > 0) total.linesHit++
    }
    total.branches += branches.length
    total.branchesHit += branches.filter(({ isTaken }) => isTaken).length
  }
  return total
}

const percent = (part, whole) => (whole === 0 ? Number.NaN : (100 * part) / whole)
/** Rounded down: 100 means all. */
const written = (part, whole) => (whole === 0 ? '' : `${(Math.floor((1000 * part) / whole) / 10).toFixed(1)} %`)

function sumsByFolder(files) {
  const groups = new Map()
  const add = (name, file) => groups.set(name, [...(groups.get(name) ?? []), file])
  for (const [name, file] of Object.entries(files)) {
    add(folderOf(name), file)
    add(name.split('/')[0], file)
  }
  return new Map([...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, group]) => [name, sum(group)]))
}

/** A line for each folder, and for lib and native as a whole. */
export function printTable(files) {
  const row = (...cells) => console.log(cells.map((cell, i) => (i ? cell.padStart(15) : cell.padEnd(20))).join(' '))
  row('coverage', 'lines', '', 'branches', '')
  for (const [folder, t] of sumsByFolder(files)) {
    const branches = t.branches ? `${t.branchesHit}/${t.branches}` : ''
    row(folder, `${t.linesHit}/${t.lines}`, written(t.linesHit, t.lines), branches, written(t.branchesHit, t.branches))
  }
}

/** What is below its floor, as sentences. */
export function belowFloor(files, floors) {
  const sums = sumsByFolder(files)
  return Object.entries(floors).flatMap(([folder, floor]) => {
    const t = sums.get(folder)
    const reached = { lines: percent(t?.linesHit, t?.lines), branches: percent(t?.branchesHit, t?.branches) }
    return Object.entries(floor)
      .filter(([kind, least]) => !(reached[kind] >= least))
      .map(([kind, least]) => `${folder}: ${reached[kind]?.toFixed(2)} % of ${kind}, and the floor is ${least} %`)
  })
}

/** "12-15 17" of [12, 13, 14, 15, 17]. */
function ranges(numbers) {
  const found = []
  for (const number of numbers) {
    const last = found.at(-1)
    if (last?.[1] === number - 1) last[1] = number
    else found.push([number, number])
  }
  return found.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(' ')
}

/** The lines and branches that no test reaches, of files whose path has the part: 12T is a condition never true. */
export function printUncovered(files, part) {
  for (const [name, { lines, branches }] of Object.entries(files).sort()) {
    if (!name.includes(part)) continue
    const missing = ranges([...lines].filter(([, count]) => count === 0).map(([line]) => line))
    const untaken = branches
      .filter(({ isTaken }) => !isTaken)
      .map(({ line, branch }) => `${line}${branch % 2 ? 'F' : 'T'}`)
    if (missing === '' && untaken.length === 0) continue
    console.log(`${name}\n  lines: ${missing}\n  branches: ${untaken.join(' ')}`)
  }
}
