// Prints the reports of sanitizers that concern the addon, and fails when there are any: node sanitizer-reports.mjs
// FOLDER. What is not freed when a process ends counts when the addon has allocated it; all else that a sanitizer says
// counts unless it happened in a foreign program that a test has started (troff, nanocat of libnanomsg): the sanitizer
// is in these as well, and neither the addon nor Node.js is on the stack.
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

const ADDON = 'nanomsg_native.node'
/** Frames of an allocation in which the addon stands if it is its own: behind the sanitizer's and the C++ library's. */
const NEAR_FRAMES = 4

/** Whether there are stacks, and each is of a program that has nothing of ours. */
function isForeign(report) {
  const modules = [...report.matchAll(/^\s*#\d+ .*\((.+)\+0x[\da-f]+\)/gm)].map(([, path]) => basename(path))
  return modules.length > 0 && !modules.some((name) => name === ADDON || name === 'node')
}

function findings(report) {
  const found = []
  const isError = /AddressSanitizer: (?!.*byte\(s\) leaked)|runtime error:/.test(report)
  if (isError && !isForeign(report)) found.push(report)
  for (const leak of report.split(/\n(?=Direct leak|Indirect leak)/).slice(1)) {
    if (!leak.startsWith('Direct leak')) continue
    const frames = leak.split('\n').filter((line) => /^\s*#\d/.test(line))
    if (frames.slice(0, NEAR_FRAMES).some((frame) => frame.includes(ADDON))) found.push(leak.split('\n\n')[0])
  }
  return found
}

let count = 0
for (const file of readdirSync(process.argv[2])) {
  for (const finding of findings(readFileSync(join(process.argv[2], file), 'utf8'))) {
    console.log(`${file}:\n${finding}\n`)
    count++
  }
}
console.log(`sanitizers: ${count} reports`)
process.exitCode = count > 0 ? 1 : 0
