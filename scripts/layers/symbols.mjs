// Dependencies of object files, of the engine and of the binding, by their symbols: what the linker ties together,
// wherever it is declared.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { files, root } from './files.mjs'

// The folder of the tests, which `npm run test:native` goes on with. Without LTO: objects hold symbols of their own.
const build = join(root, 'build-test')
const engineObjects = join(build, 'CMakeFiles', 'engine.dir')
// Those of the addon have LTO, whose symbols nm reads by the compiler's plugin.
const addonObjects = join(root, 'build', 'Release', 'obj.target', 'nanomsg_native')

function compileEngine() {
  const options = { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] }
  if (!existsSync(join(build, 'CMakeCache.txt')))
    execFileSync(
      'cmake',
      ['-S', '.', '-B', build, '-DNN_TESTS=ON', `-DNN_WERROR=${process.env.NN_WERROR ?? 'OFF'}`],
      options,
    )
  execFileSync('cmake', ['--build', build, '--target', 'engine'], options)
}

/** Where each source file's object is: of the engine's from its own build, of the binding's from the addon. */
function objectsOfSources() {
  compileEngine()
  execFileSync('npm', ['run', 'build:native'], { cwd: root, stdio: 'pipe' })
  const engine = files('native', /\.c$/).map((source) => [source, join(engineObjects, `${source}.o`)])
  const binding = files('native/binding', /\.cc$/).map((source) => [
    source,
    join(addonObjects, source.replace(/\.cc$/, '.o')),
  ])
  const missing = binding.find(([, object]) => !existsSync(object))
  if (missing) throw new Error(`the build of the addon has not made ${relative(root, missing[1])}`)
  return [...engine.filter(([, object]) => existsSync(object)), ...binding]
}

/** The symbols that an object defines, and those that it needs. */
function symbolsOf(object) {
  const defined = []
  const needed = []
  for (const line of execFileSync('nm', ['-P', object], { encoding: 'utf8' }).split('\n')) {
    const [name, type] = line.split(' ')
    if (type === 'U') needed.push(name)
    else if (/^[A-V]$/.test(type ?? '')) defined.push(name)
  }
  return { defined, needed }
}

/** Which object needs which others, and by what symbols: a map of maps of lists, by names of source files. */
export function dependenciesOfObjects() {
  const symbols = new Map(objectsOfSources().map(([source, object]) => [source, symbolsOf(object)]))
  const home = new Map()
  for (const [source, { defined }] of symbols) for (const name of defined) home.set(name, source)

  const graph = new Map()
  for (const [source, { needed }] of symbols) {
    const needs = new Map()
    for (const name of needed) {
      const from = home.get(name)
      if (from !== undefined && from !== source) needs.set(from, [...(needs.get(from) ?? []), name])
    }
    graph.set(source, needs)
  }
  return graph
}

/** Tarjan's strongly connected components of a map of iterables or maps of nodes. */
export function components(graph) {
  const index = new Map()
  const low = new Map()
  const stack = []
  const found = []

  function visit(node) {
    index.set(node, index.size)
    low.set(node, index.get(node))
    stack.push(node)
    for (const next of graph.get(node).keys()) {
      if (!index.has(next)) visit(next)
      if (stack.includes(next)) low.set(node, Math.min(low.get(node), low.get(next)))
    }
    if (low.get(node) === index.get(node)) found.push(stack.splice(stack.indexOf(node)))
  }
  for (const node of graph.keys()) if (!index.has(node)) visit(node)
  return found
}

// From the ground up: an object may need others of its own layer and of those before it.
const order = ['platform', 'util', 'loop', 'message', 'core', 'protocols', 'streams', 'transports', 'api', 'binding']
const rank = (source) => order.indexOf(relative('native', source).split('/')[0])

function upward(graph) {
  const problems = []
  for (const [from, needs] of graph)
    for (const [to, names] of needs)
      if (rank(to) > rank(from)) problems.push(`${from} needs ${names.join(', ')} of ${to}, which lies above it`)
  return problems
}

function circles(graph) {
  return components(graph)
    .filter((circle) => circle.length > 1)
    .map((circle) => {
      const edges = circle.flatMap((from) =>
        [...graph.get(from)]
          .filter(([to]) => circle.includes(to))
          .map(([to, names]) => `\n  ${relative('native', from)} needs ${relative('native', to)}: ${names.join(', ')}`),
      )
      return `${circle.length} files of native/ depend on each other in a circle:${edges.join('')}`
    })
}

/** One sentence for each circle of objects, and for each need that points up. */
export function checkSymbols() {
  const graph = dependenciesOfObjects()
  return [...upward(graph), ...circles(graph)]
}
