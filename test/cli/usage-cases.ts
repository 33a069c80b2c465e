const list = (...names: string[]) => names.map((name) => `    ${name}\n`).join('')

const types = list(
  ...['push', 'pull', 'pub', 'sub', 'req', 'rep', 'surveyor', 'respondent', 'bus', 'pair'].map((name) => `--${name}`),
)
const endpoints = list(
  ...['--bind', '--connect', '--bind-ipc', '-X', '--connect-ipc', '-x', '--bind-local', '-L', '--connect-local', '-l'],
)
const readable = list('--pull', '--sub', '--req', '--rep', '--surveyor', '--respondent', '--bus', '--pair')
const writable = list('--push', '--pub', '--req', '--rep', '--surveyor', '--respondent', '--bus', '--pair')
const data = list('--data', '-D', '--file', '-F')
const formats = list('no', 'raw', 'ascii', 'quoted', 'msgpack', 'hex')
const needs = 'requires at least one of the following options:\n'
const conflicts = 'conflicts with the following options:\n'

type UsageCase = readonly [args: string[], exitCode: number, stderr: string, added: string]

const cases: readonly (readonly [args: string[], exitCode: number, stderr: string, added?: string])[] = [
  [[], 1, `nanocat: At least one of the following required:\n${types}${endpoints}`],
  [['-'], 1, `nanocat: At least one of the following required:\n${types}${endpoints}`],
  [['--'], 1, `nanocat: At least one of the following required:\n${types}${endpoints}`],
  [['--connect', 'inproc://a'], 1, `nanocat: At least one of the following required:\n${types}`],
  [['--pull'], 1, `nanocat: At least one of the following required:\n${endpoints}`],
  [['--pul'], 1, `nanocat: At least one of the following required:\n${endpoints}`],
  [['--push', '-D', ''], 1, `nanocat: At least one of the following required:\n${endpoints}`],
  [['--pull', '--v', '--sil', '--ver'], 1, `nanocat: At least one of the following required:\n${endpoints}`],

  [['--bogus'], 1, "nanocat: Unknown option ``--bogus''\n"],
  [['-z'], 1, "nanocat: Unknown option ``-z''\n"],
  [['-vqz'], 1, "nanocat: Unknown option ``-z''\n"],
  [['-zh'], 1, "nanocat: Unknown option ``-z''\n"],
  [['--=foo'], 1, "nanocat: Unknown option ``--=foo''\n"],
  [['--pull=x', '-z'], 1, 'nanocat: Option --pull=x does not accept argument\n'],
  [['--pushy'], 1, "nanocat: Unknown option ``--pushy''\n", 'did you mean --push?\n'],

  [['--re'], 1, `nanocat: Ambiguous option \`\`--re'':\n${list('req', 'rep', 'respondent', 'recv-timeout')}`],
  [['--re', '--help'], 1, `nanocat: Ambiguous option \`\`--re'':\n${list('req', 'rep', 'respondent', 'recv-timeout')}`],
  [['--he=x'], 1, `nanocat: Ambiguous option \`\`--he=x'':\n${list('help', 'hex')}`],
  [['--bin'], 1, `nanocat: Ambiguous option \`\`--bin'':\n${list('bind', 'bind-ipc', 'bind-local')}`],
  [
    ['--s'],
    1,
    `nanocat: Ambiguous option \`\`--s'':\n${list('silent', 'sub', 'surveyor', 'send-timeout', 'socket-name', 'subscribe')}`,
  ],

  [['--push', 'extra'], 1, "nanocat: Unexpected argument ``extra''\n"],
  [['--', 'foo'], 1, "nanocat: Unexpected argument ``foo''\n"],
  [[''], 1, "nanocat: Unexpected argument ``''\n"],

  [['--subscribe'], 1, 'nanocat: Option --subscribe requires an argument\n'],
  [['--pull', '--bind-loc'], 1, 'nanocat: Option --bind-loc[al] requires an argument\n'],
  [['-D'], 1, 'nanocat: Option -D (--data) requires an argument\n'],
  [['-vL'], 1, 'nanocat: Option -L (--bind-local) requires an argument\n'],

  [['--help=1'], 1, 'nanocat: Option --help=1 does not accept argument\n'],
  [['--verbose=1'], 1, 'nanocat: Option --verbose=1 does not accept argument\n'],
  [['--verb=1'], 1, 'nanocat: Option --verb[ose] does not accept argument\n'],

  [['--recv-timeout', 'abc', '--pull'], 1, 'nanocat: Option --recv-timeout requires float point argument\n'],
  [['--recv-timeout='], 1, 'nanocat: Option --recv-timeout= requires float point argument\n'],
  [['--recv-timeout', ''], 1, 'nanocat: Option --recv-timeout requires float point argument\n'],
  [['--delay=x'], 1, 'nanocat: Option --delay=x requires float point argument\n'],
  [['-i1x'], 1, 'nanocat: Option -i (--interval) requires float point argument\n'],
  [['-i=1'], 1, 'nanocat: Option -i (--interval) requires float point argument\n'],
  [['-i', '1 '], 1, 'nanocat: Option -i (--interval) requires float point argument\n'],
  [['-i', '.'], 1, 'nanocat: Option -i (--interval) requires float point argument\n'],

  [['--format', 'foo'], 1, `nanocat: Invalid value \`\`foo'' for --format . Options are:\n${formats}`, '    json\n'],
  [['--format', 'ra'], 1, `nanocat: Invalid value \`\`ra'' for --format . Options are:\n${formats}`, '    json\n'],
  [['--format='], 1, `nanocat: Invalid value \`\`'' for --format= . Options are:\n${formats}`, '    json\n'],
  [['--form=foo'], 1, `nanocat: Invalid value \`\`foo'' for --form[at] . Options are:\n${formats}`, '    json\n'],

  [['--pull', '--push'], 1, `nanocat: Option --push ${conflicts}    --pull \n`],
  [['--sub', '-Dx', '--push'], 1, `nanocat: Option --push ${conflicts}    --sub \n`],
  [['--pull', '--pull', '-L', '1'], 1, `nanocat: Option --pull ${conflicts}    --pull \n`],
  [['--push', '-D', 'a', '-F', '/'], 1, `nanocat: Option -F (--file) ${conflicts}    -D (--data) \n`],
  [['--push', '--data=a', '--file=/'], 1, `nanocat: Option --file=/ ${conflicts}    --data=a \n`],
  [['--push', '-D', 'a', '-D', 'b'], 1, `nanocat: Option -D (--data) ${conflicts}    -D (--data) \n`],
  [['--push', '-Dx', '--dat=yy'], 1, `nanocat: Option --dat[a] ${conflicts}    --dat[a] \n`],

  [['--push'], 1, `nanocat: Option --push ${needs}${data}`, '    --lines\n'],
  [['--pus'], 1, `nanocat: Option --pus[h] ${needs}${data}`, '    --lines\n'],
  [['--push', '-A'], 1, `nanocat: Option --push ${needs}${data}`, '    --lines\n'],
  [['--push', '--subscribe', 'a'], 1, `nanocat: Option --push ${needs}${data}`, '    --lines\n'],
  [
    ['--push', '--bind', 'inproc://a', '--connect', 'bad'],
    1,
    `nanocat: Option --push ${needs}${data}`,
    '    --lines\n',
  ],
  [['-vvA'], 1, `nanocat: Option -A (--ascii) ${needs}${readable}`],
  [['-Q', '-A', '--push', '-Dx'], 1, `nanocat: Option -A (--ascii) ${needs}${readable}`],
  [['--format=no', '--raw', '--push', '-Dx'], 1, `nanocat: Option --format=no ${needs}${readable}`],
  [['--for', 'hex'], 1, `nanocat: Option --for[mat] ${needs}${readable}`],
  [['--push', '--recv-timeout', '1', '-A', '-Dx'], 1, `nanocat: Option --recv-timeout ${needs}${readable}`],
  [['--pull', '--send-timeout', '1', '-L', '1'], 1, `nanocat: Option --send-timeout ${needs}${writable}`],
  [['--pull', '-i', '1', '-L', '1'], 1, `nanocat: Option -i (--interval) ${needs}${writable}`],
  [['--pull', '-i', ' 0x1p3', '-L', '1'], 1, `nanocat: Option -i (--interval) ${needs}${writable}`],
  [['--pull', '-i', 'nan', '-L', '1'], 1, `nanocat: Option -i (--interval) ${needs}${writable}`],
  [['--pull', '-i-1', '-L', '1'], 1, `nanocat: Option -i (--interval) ${needs}${writable}`],
  [['--pul', '-D', 'x', '--connect-l', '1'], 1, `nanocat: Option -D (--data) ${needs}${writable}`],
  [['--data=x', '--pull'], 1, `nanocat: Option --data=x ${needs}${writable}`],
  [['--dat=x', '--pull'], 1, `nanocat: Option --dat[a] ${needs}${writable}`],
  [['--pull', '--subscribe', 'x'], 1, `nanocat: Option --subscribe ${needs}${list('--sub')}`],

  [['--push', '-F', '/no/such/file'], 2, "Error opening file ``/no/such/file'': No such file or directory\n"],
  [['--push', '-F', ''], 2, "Error opening file ``'': No such file or directory\n"],
  [['--file=/etc/passwd/x', '-z'], 2, "Error opening file ``/etc/passwd/x'': Not a directory\n"],
  [['-z', '-F', '/no/such/file'], 1, "nanocat: Unknown option ``-z''\n"],
]

/** Command lines that are refused, each with what it prints on stderr: all that the original prints, as observed, and
 * what ours adds. */
export const usageCases = cases.map(
  ([args, exitCode, stderr, added = '']): UsageCase => [args, exitCode, stderr, added],
)
