// Writes the ESM face of the CommonJS build: dist/index.mjs hands on the very classes of dist/index.js,
// so that a program that both imports and requires the package sees one set of them.
// The names come from the declarations; nothing is loaded, and no addon is needed.
import { writeFileSync } from 'node:fs'
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
    .filter((name) => name !== 'default')
    .sort()
}

const names = valueNames(inProject('types/index.d.ts'))
if (names.length === 0) throw new Error('types/index.d.ts exports no values')

writeFileSync(
  inProject('dist/index.mjs'),
  `import cjs from './index.js'\n\nexport const {\n${names.map((name) => `  ${name},\n`).join('')}} = cjs\n`,
)
writeFileSync(inProject('types/index.d.mts'), `export * from './index.js'\n`)
