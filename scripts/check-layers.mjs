// Which layer may depend on which (docs/architecture.md): fails on a dependency that points up, and on a circle.
import { checkLib } from './layers/lib.mjs'
import { checkNative } from './layers/native.mjs'

const problems = [...checkNative(), ...checkLib()]
for (const problem of problems) console.error(problem)
console.log(problems.length === 0 ? 'layers: all point down, no circle' : `layers: ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
