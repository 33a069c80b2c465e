// Writes the ESM face of each entry of package.json: dist/index.mjs hands on the very classes of dist/index.js,
// so that a program that both imports and requires the package sees one set of them.
// The names come from the declarations; nothing is loaded, and no addon is needed.
import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const inProject = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))

function valueNames(declarations) {
  const program = ts.createProgram([declarations], {
    types: ['node'],
    lib: ['lib.es2022.d.ts', 'lib.esnext.disposable.d.ts'],
  })
  const checker = program.getTypeChecker()
  const module = checker.getSymbolAtLocation(program.getSourceFile(declarations))
  const isTypeOnly = ({ declarations = [] }) =>
    declarations.some((each) => ts.isExportSpecifier(each) && ts.isTypeOnlyExportDeclaration(each))
  const isValue = (symbol) => {
    if (isTypeOnly(symbol)) return false
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
    return (target.flags & ts.SymbolFlags.Value) !== 0
  }
  return checker
    .getExportsOfModule(module)
    .filter(isValue)
    .map((symbol) => symbol.name)
    .sort()
}

const { exports } = JSON.parse(readFileSync(inProject('package.json'), 'utf8'))

for (const { import: esm, require: cjs } of Object.values(exports)) {
  if (esm === undefined) continue
  const all = valueNames(inProject(cjs.types))
  const names = all.filter((name) => name !== 'default')
  const hasDefault = all.includes('default')
  if (names.length === 0) throw new Error(`${cjs.types} exports no values`)
  const list = names.map((name) => `  ${name},\n`).join('')
  writeFileSync(
    inProject(esm.default),
    `import cjs from './${basename(cjs.default)}'\n\nexport const {\n${list}} = cjs\n${hasDefault ? 'export default cjs.default\n' : ''}`,
  )
  const file = basename(cjs.default)
  // Bundlers and Node.js differ in what the default of a CommonJS module is, but not in its names.
  writeFileSync(
    inProject(esm.types),
    `export * from './${file}'\n${hasDefault ? `import type * as cjs from './${file}'\ndeclare const all: Omit<typeof cjs, 'default'>\nexport default all\n` : ''}`,
  )
}
