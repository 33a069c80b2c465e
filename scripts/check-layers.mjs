// Who may depend on whom (docs/architecture.md): fails on a dependency that points up.
import { checkLib } from './layers/lib.mjs'
import { checkNative } from './layers/native.mjs'

const problems = [...checkNative(), ...checkLib()]
for (const problem of problems) console.error(problem)
console.log(problems.length === 0 ? 'layers: every include points down' : `layers: ${problems.length} point up`)
process.exitCode = problems.length === 0 ? 0 : 1
