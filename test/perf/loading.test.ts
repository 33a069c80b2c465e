/** What loading the package costs, in files and in modules of Node.js. */
import { execFileSync } from 'node:child_process'
import { join, relative } from 'node:path'
import { expect, test } from 'vitest'
import { describeNodes } from '../support/nodes.js'

const project = join(__dirname, '../..')

/** Modules that programs pay for which use what needs them, and no others. */
const RARE =
  /^NativeModule (stream|net|tls|https?|http2|dns|crypto|worker_threads|child_process|perf_hooks|readline|zlib|url|module)$/

const conversation = `
  const { Pair } = require(face)
  const left = new Pair(), right = new Pair()
  const { address } = left.bind('tcp://127.0.0.1:0')
  right.connect(address)
  await left.send('first')
  await right.receive()
  await Promise.all([left.close(), right.close()])`

const inPair = (one: string, other: string, work: string) => `
  const nn = require(face)
  const [one, other] = [new nn.${one}(), new nn.${other}()]
  ${work}
  await Promise.all([one.close(), other.close()])`

/** What loads parts of the package on their first use. */
const uses: [string, string, string[]][] = [
  [
    'request() and serve()',
    inPair(
      'Req',
      'Rep',
      `void other.serve((body) => body).catch(() => {})
      one.connect(other.bind('tcp://127.0.0.1:0').address)
      if (String(await one.request('asked')) !== 'asked') throw new Error('another answer')`,
    ),
    ['contexts/requests.js', 'contexts/service.js', 'contexts/shared.js'],
  ],
  [
    'survey() and serve()',
    inPair(
      'Surveyor',
      'Respondent',
      `void other.serve((body) => body).catch(() => {})
      other.connect(one.bind('tcp://127.0.0.1:0').address)
      await one.ready()
      for await (const answer of one.survey('asked')) if (String(answer) === 'asked') break`,
    ),
    ['contexts/service.js', 'contexts/shared.js', 'contexts/surveys.js'],
  ],
  [
    'a transport in JavaScript',
    inPair(
      'Pair',
      'Pair',
      `const port = other.bind('tcp://127.0.0.1:0').address.split(':').at(-1)
      nn.registerTransport('own', { connect: () => require('node:net').connect(Number(port), '127.0.0.1') })
      one.connect('own://other')
      await one.send('by it')
      if (String(await other.receive()) !== 'by it') throw new Error('another message')`,
    ),
    ['connections/stream-endpoints.js'],
  ],
  [
    'certificates that are wrong',
    inPair(
      'Pair',
      'Pair',
      `try { one.bind('tls+tcp://127.0.0.1:0') } catch ({ code }) { if (code !== 'EINVAL') throw new Error(code) }`,
    ),
    ['connections/host-credentials.js'],
  ],
]

/** What a program loads that loads a face of the package, and does something with it. */
function loadedBy(path: string, face: string, work = 'require(face)'): { files: string[]; modules: string[] } {
  const program = `
    const face = ${JSON.stringify(join(project, 'dist', face))}
    const before = new Set(process.moduleLoadList)
    ;(async () => {${work}})().then(() => {
      const modules = process.moduleLoadList.filter((name) => !before.has(name))
      console.log(JSON.stringify({ files: Object.keys(require.cache), modules }))
    })`
  const { files, modules } = JSON.parse(execFileSync(path, ['-e', program], { encoding: 'utf8', timeout: 30_000 }))
  const own = (files as string[]).filter((file) => !file.endsWith('.node')).map((file) => relative(project, file))
  return { files: own.sort(), modules }
}

describeNodes('a program', ({ path }) => {
  test.each([
    ['index.js', ['dist/engine/shared.js', 'dist/index.js']],
    ['nn/index.js', ['dist/engine/shared.js', 'dist/nn/index.js', 'dist/nn/shared.js']],
    ['compat/index.js', ['dist/compat/index.js', 'dist/engine/shared.js', 'dist/nn/shared.js']],
  ])('that requires %s loads no files but that one and those that the faces share', (face, files) => {
    expect(loadedBy(path, face).files).toEqual(files)
  })

  test('that exchanges messages loads no more files, and no module of Node.js that it does not need', () => {
    const { files, modules } = loadedBy(path, 'index.js', conversation)
    expect(files).toHaveLength(2)
    expect(modules).toContain('Internal Binding os')
    expect(modules.filter((name) => RARE.test(name))).toEqual([])
  })

  test('that has no descriptors left asks and answers by sockets that it has', () => {
    const program = `
      const { openSync } = require('node:fs')
      const { Rep, Req } = require(${JSON.stringify(project)})
      const [one, other] = [new Req(), new Rep()]
      one.connect(other.bind('tcp://127.0.0.1:0').address)
      one.ready().then(async () => {
        try { for (;;) openSync('/dev/null') } catch ({ code }) { console.log(code) }
        void other.serve((body) => body)
        console.log(String(await one.request('answered')))
        process.exit()
      })`
    const options = {
      encoding: 'utf8',
      env: { ...process.env, NODE: path, PROGRAM: program },
      timeout: 30_000,
    } as const
    expect(execFileSync('bash', ['-c', 'ulimit -n 100; exec "$NODE" -e "$PROGRAM"'], options)).toBe(
      'EMFILE\nanswered\n',
    )
  })

  test.each(uses)('that uses %s loads their files then', (_, work, files) => {
    const others = loadedBy(path, 'index.js', work).files.filter(
      (file) => !/^dist\/(index|engine.shared)\.js$/.test(file),
    )
    expect(others).toEqual(files.map((file) => `dist/${file}`))
  })
})
