// Makes dist/ of lib/: one file for each entry of package.json, one that entries share, so that a class is the same
// through each of them, one for each part that is loaded on its first use, and the files of the commands. Loading a
// file costs more than compiling what stands in it.
//
//   --maps FOLDER  writes the same files with source maps there: coverage finds lines of lib/ by them
import { readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { rollup } from 'rollup'
import ts from 'typescript'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const lib = resolve('lib')
/** At the depth of lib/engine, whose files find the package's folder by their own. */
const SHARED = 'engine/shared'
const SHARED_BY_C_API = 'nn/shared'
const SHARED_BY_DEFERRED = 'contexts/shared'

/** Such as `sockets/req`. */
const nameOf = (id) => relative(lib, id).replaceAll('\\', '/').replace(/\.ts$/, '')
const pathOf = (name) => join(lib, `${name}.ts`)

const { target } = ts.readConfigFile('tsconfig.json', ts.sys.readFile).config.compilerOptions
const { exports, bin } = JSON.parse(readFileSync('package.json', 'utf8'))
const nameOfOutput = (path) => /^(?:\.\/)?dist\/(.*)\.js$/.exec(path)[1]
const faces = Object.values(exports).flatMap((face) => (face.require ? [nameOfOutput(face.require.default)] : []))
const commands = Object.values(bin).map(nameOfOutput)

/** Only in texts; the compiler has left out comments. V8 reads a file of ASCII in a third of the time. */
const escaped = (code) =>
  code.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Names of modules that lib/ requires where they are used: each becomes a file, which is loaded then. */
const deferred = new Set()

function namingDeferred(context, code, importer) {
  return code.replace(/require\('(\.[^']+)\.js'\) as typeof import/g, (_, path) => {
    const id = resolve(dirname(importer), `${path}.ts`)
    const name = nameOf(id)
    if (!deferred.has(name)) {
      deferred.add(name)
      context.emitFile({ type: 'chunk', id, fileName: `${name}.js`, preserveSignature: 'allow-extension' })
    }
    return `require('deferred:${name}') as typeof import`
  })
}

/** TypeScript without its types, which the compiler has checked before. */
const typescript = {
  name: 'typescript',
  resolveId(source, importer) {
    if (importer === undefined) return source
    if (source.startsWith('.')) return resolve(dirname(importer), source.replace(/\.js$/, '.ts'))
    return { id: source, external: true }
  },
  transform(code, fileName) {
    const compilerOptions = { target, module: 'preserve', removeComments: true, sourceMap: true }
    const { outputText, sourceMapText } = ts.transpileModule(namingDeferred(this, code, fileName), {
      fileName,
      compilerOptions,
    })
    return { code: escaped(outputText), map: sourceMapText }
  },
  /** Paths from where the chunk lies. */
  renderChunk(code, { fileName }) {
    const pathTo = (name) => relative(dirname(fileName), `${name}.js`).replaceAll('\\', '/')
    const text = code.replace(/require\('deferred:(.*?)'\)/g, (_, name) => `require('./${pathTo(name)}')`)
    return { code: text, map: null }
  },
}

/** All that a module loads with itself. */
function reached(id, getModuleInfo, found = new Set()) {
  if (found.has(id)) return found
  found.add(id)
  for (const next of getModuleInfo(id)?.importedIds ?? []) reached(next, getModuleInfo, found)
  return found
}

let reachedBy

/** In which file a module is; undefined: in that of the only one that needs it. The commands keep their files, most of
 * which few calls of theirs need. */
function chunkOf(id, { getModuleInfo }) {
  const name = nameOf(id)
  if (faces.includes(name) || deferred.has(name)) return undefined
  if (/^(cli|build)\//.test(name)) return name
  reachedBy ??= [...faces, ...deferred].map((each) => [each, reached(pathOf(each), getModuleInfo)])
  const users = reachedBy.flatMap(([user, modules]) => (modules.has(id) ? [user] : []))
  if (users.length === 1 && getModuleInfo(id).dynamicImporters.length === 0) return undefined
  if (users.every((user) => deferred.has(user))) return SHARED_BY_DEFERRED
  return users.includes('index') || users.some((user) => deferred.has(user)) ? SHARED : SHARED_BY_C_API
}

const fileOf = ({ name, facadeModuleId, moduleIds }) =>
  `${name.includes('/') ? name : nameOf(facadeModuleId ?? moduleIds.at(-1))}.js`

function onwarn(warning) {
  // What the compiler puts in place of `using` asks for `this`, which a module has not; its maps do not know that line.
  if (warning.code === 'THIS_IS_UNDEFINED' || warning.code === 'SOURCEMAP_ERROR') return
  throw new Error(warning.message)
}

/** Of two classes of a name in one file the second gets another name, and programs see names of classes. */
function checkClasses({ fileName, code }) {
  const renamed = /\bclass \w+\$\d+/.exec(code)
  if (renamed !== null) throw new Error(`dist/${fileName} has two classes of a name: ${renamed[0]}`)
}

const { values: flags } = parseArgs({ options: { maps: { type: 'string' } } })

const bundle = await rollup({
  input: Object.fromEntries([...faces, ...commands].map((name) => [name, pathOf(name)])),
  plugins: [typescript],
  preserveEntrySignatures: 'strict',
  treeshake: false,
  onwarn,
})
const { output } = await bundle.write({
  dir: flags.maps ?? 'dist',
  format: 'cjs',
  sourcemap: flags.maps !== undefined,
  entryFileNames: '[name].js',
  chunkFileNames: fileOf,
  manualChunks: chunkOf,
  onlyExplicitManualChunks: true,
  exports: 'named',
  esModule: true,
  externalLiveBindings: false,
  generatedCode: { preset: 'es2015', symbols: false },
  hoistTransitiveImports: false,
  minifyInternalExports: false,
})
for (const file of output) if (file.type === 'chunk') checkClasses(file)
