// Layers of lib/: an import points down only, and there are no circles, neither of files nor of folders. Imports of
// types count as well.
import { dirname, join, normalize } from 'node:path'
import ts from 'typescript'
import { circles } from './circles.mjs'
import { files, lines } from './files.mjs'

// What files of a folder may import, besides those of their own folder. '.' is lib/ itself.
const allowed = {
  engine: [],
  messages: ['engine'],
  connections: ['engine'],
  contexts: ['connections', 'messages', 'engine'],
  'sockets/base': ['connections', 'messages', 'engine'],
  sockets: ['sockets/base', 'contexts', 'messages', 'engine'],
  '.': ['sockets', 'sockets/base', 'contexts', 'connections', 'messages', 'engine'],
  nn: ['messages', 'engine'],
  compat: ['nn', 'messages', 'engine'],
  cli: ['cli/commands', '.', 'connections', 'engine'],
  'cli/commands': ['cli', '.', 'engine'],
  'cli/links': ['cli'],
  build: [],
}

const folderOf = (file) => dirname(file).replace(/^lib\/?/, '') || '.'

/** Edges [from, to, line] of the files, as the compiler reads their imports. */
function importsOf(file, all) {
  const text = lines(file).join('\n')
  return ts.preProcessFile(text, true, true).importedFiles.flatMap(({ fileName, pos }) => {
    if (!fileName.startsWith('.')) return []
    const to = normalize(join(dirname(file), fileName)).replace(/\.js$/, '.ts')
    return all.has(to) ? [[file, to, text.slice(0, pos).split('\n').length]] : []
  })
}

/** A folder and one inside it are one room. */
const isWithin = (inner, outer) => inner === outer || inner.startsWith(`${outer}/`)
const areApart = (one, other) => !isWithin(one, other) && !isWithin(other, one)

const upward = (edges) =>
  edges
    .map(([from, to, line]) => [from, line, folderOf(from), folderOf(to)])
    .filter(([, , from, to]) => from !== to && !allowed[from]?.includes(to))
    .map(([file, line, from, to]) => `${file}:${line}: lib/${from} may not import lib/${to}`)

const loaders = ['load.ts', 'prebuilt.ts'].map((name) => join('lib', 'engine', name))

const addon = (all) =>
  [...all]
    .filter((file) => !loaders.includes(file) && folderOf(file) !== 'build')
    .flatMap((file) => lines(file).map((line, index) => [file, index + 1, line]))
    .filter(([, , line]) => /['"]node-gyp-build['"]|\.node['"]/.test(line))
    .map(([file, number]) => `${file}:${number}: only ${loaders.join(' and ')} load the addon`)

/** What is wrong with the imports of lib/: those that point up, circles, and loading of the addon elsewhere than in its
 *  loader. */
export function checkLib() {
  const all = new Set(files('lib', /\.ts$/))
  const edges = [...all].flatMap((file) => importsOf(file, all))
  const folders = edges.map(([from, to]) => [folderOf(from), folderOf(to)]).filter(([from, to]) => areApart(from, to))
  return [
    ...addon(all),
    ...upward(edges),
    ...circles(edges).map((circle) => `files import each other: ${circle.join(' -> ')}`),
    ...circles(folders).map(
      (circle) => `folders import each other: ${circle.map((name) => `lib/${name}`).join(' -> ')}`,
    ),
  ]
}
