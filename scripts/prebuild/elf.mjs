// What a shared object for Linux says of itself, as far as the check of prebuilt addons asks.
import { execFileSync } from 'node:child_process'

const readelf = (path, ...options) =>
  execFileSync('readelf', ['--wide', ...options, path], { encoding: 'utf8', maxBuffer: 1 << 26 })

const all = (text, pattern) => [...text.matchAll(pattern)].map(([, found]) => found)

/** `name@GLIBC_2.4` without its version. */
const bare = (name) => name.replace(/@.*/, '')

function readSymbols(path) {
  const rows = readelf(path, '--dyn-syms')
    .split('\n')
    .map((line) => /^\s*\d+: [0-9a-f]+ +\S+ (\S+) +(\S+) +(\S+) +(\S+) (\S+)/.exec(line))
    .filter((row) => row !== null)
    .map(([, , binding, , section, name]) => ({ binding, section, name: bare(name), isVersioned: name.includes('@') }))
  const undefinedOnes = rows.filter(({ section }) => section === 'UND')
  const required = undefinedOnes.filter(({ binding }) => binding !== 'WEAK')
  return {
    exported: rows.filter(({ section, binding }) => section !== 'UND' && binding !== 'LOCAL').map(({ name }) => name),
    required: required.map(({ name }) => name),
    /** Of no library that was there when it was linked: the host has to give them. */
    unknown: required.filter(({ isVersioned }) => !isVersioned).map(({ name }) => name),
    weak: undefinedOnes.filter(({ binding }) => binding === 'WEAK').map(({ name }) => name),
  }
}

export function readElf(path) {
  const dynamic = readelf(path, '--dynamic')
  const segments = readelf(path, '--program-headers')
  return {
    machine: /Machine:\s+.*?(X86-64|AArch64|ARM)$/m.exec(readelf(path, '--file-header'))?.[1],
    needed: all(dynamic, /\(NEEDED\).*\[(.*)\]/g),
    runPaths: all(dynamic, /\((?:RPATH|RUNPATH)\).*\[(.*)\]/g),
    isBoundAtOnce: /\(FLAGS(_1)?\).*\b(BIND_)?NOW\b|\(BIND_NOW\)/.test(dynamic),
    staysLoaded: /NODELETE/.test(dynamic),
    isRelocationReadOnly: /GNU_RELRO/.test(segments),
    isStackExecutable: !/GNU_STACK.* RW /.test(segments),
    glibcVersions: [...new Set(all(readelf(path, '--version-info'), /\bName: GLIBC_([\d.]+)/g))],
    ...readSymbols(path),
  }
}
