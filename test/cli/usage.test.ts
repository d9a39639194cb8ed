import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flights, output, sluice } from './support.ts'

/** The options of each command: those of its documentation. */
const OPTIONS: Record<string, string> = {
  ls: '--recursive --json',
  du: '--depth --json',
  copy: `--sync --delete --existing --include --exclude --verify --concurrency --memory --force --stop-on-error --dry-run
    --progress --no-progress --json`,
  rm: '--recursive --include --exclude --dry-run',
  schema: '--json',
  cat: '--columns --where --limit --format -o --report',
  rewrite: `--where --derive --columns --partition-by --existing --mode --memory --lanes --max-rows-per-file
    --target-file-size --compression --job --progress --no-progress --report`,
  jobs: '--json',
  abort: '',
  vacuum: '--older-than --dry-run --json',
  compact: `--to --existing --target-file-size --where --dry-run --memory --lanes --job --progress --no-progress --json
    --report`,
  explain: `--where --derive --columns --partition-by --mode --memory --lanes --max-rows-per-file
    --target-file-size`,
}

test('help of every command names its options', async () => {
  const overview = await output('--help')
  for (const [command, options] of Object.entries(OPTIONS)) {
    assert.match(overview, new RegExp(`^ {2}${command} `, 'm'))
    const help = await output(command, '--help')
    for (const option of `${options} --verbose --help`.split(/\s+/)) {
      assert.match(help, new RegExp(`(?<![-\\w])${option}(?![-\\w])`), `${command} ${option}`)
    }
  }
})

const failures: [args: string[], code: number, message: RegExp][] = [
  [[], 2, /^sluice: a command is missing\. Usage: sluice COMMAND/],
  [['rewrit'], 2, /^sluice: there is no command 'rewrit'\. Did you mean 'rewrite'\?\n$/],
  [['cat'], 2, /^sluice: URL is missing\. See: sluice cat --help\n$/],
  [['cat', flights, '--wehre', 'x'], 2, /'--wehre'\. Did you mean '--where'\?/],
  [['cat', flights, '--where', 'delay >'], 2, /the text ends/],
  [['cat', flights, '--format', 'xml'], 2, /option '--format': must be one of table, .*, not 'xml'/],
  [['cat', flights, '--format', 'parquet'], 2, /has to be written to a file. Add --output FILE/],
  [['cat', flights, '--limit', '-1'], 2, /'--limit/],
  [['cat', flights, '--limit=1.5'], 2, /option '--limit': must be a whole number, not '1.5'/],
  [['cat', flights, '--memory', '12parsec'], 2, /option 'memory': '12parsec' is not a number of bytes/],
  [['rewrite', flights, 'x', '--derive', 'y'], 2, /option '--derive': 'y' has no '='/],
  [['rewrite', flights, 'x', '--compression', 'zip'], 2, /option 'compression': 'zip' is none of/],
  [['compact', 'x', '--existing', 'append'], 2, /option 'existing': is for another place: it goes with 'to'/],
  [['compact', 'x', '--target-file-size', '0'], 2, /option 'targetFileBytes': must be above 0/],
  [['compact', '/nowhere/at/all'], 1, /\/nowhere\/at\/all: there are no Parquet files/],
  [['cat', flights, '--where', 'dely > 1'], 1, /there is no column 'dely'\. Did you mean 'delay'\?/],
  [['cat', flights, '--where', 'origin > 1'], 1, /origin/],
  [['cat', flights, '--columns', 'origin,dely'], 1, /'dely'/],
  [['cat', '/nowhere/at/all'], 1, /\/nowhere\/at\/all: there are no Parquet files/],
  [
    ['copy', 'src', 'x', '--sync', '--existing', 'overwrite'],
    2,
    /option '--sync': means '--existing skip-same/,
  ],
  [['copy', 'src', 'src/cli', '--dry-run'], 2, /option 'to', .*: lies within the other place/],
  [['copy', 'package.json', 'x', '--include', '*'], 2, /option '--include': is for a folder/],
  [['copy', '/nowhere/at/all', 'x'], 1, /\/nowhere\/at\/all: there are no files to copy/],
  [['rm', 'src'], 2, /option '--recursive': 'src' is a folder, or not there/],
  [['schema', 'package.json'], 1, /package\.json: not a Parquet file/],
  [['cat', 'ftp://host/file'], 2, /nothing is known of 'ftp:' stores/],
]
for (const [args, code, message] of failures) {
  test(`fails with ${code}: sluice ${args.map(arg => (arg === flights ? 'FLIGHTS' : arg)).join(' ')}`, async () => {
    const result = await sluice(...args)
    assert.equal(result.code, code, result.stderr)
    assert.match(result.stderr, message)
    assert.doesNotMatch(result.stderr, /^ +at /m)
    assert.equal(result.stdout.length, 0)
  })
}

test('--verbose shows where a failure came from', async () => {
  const { code, stderr } = await sluice('cat', flights, '--where', 'dely > 1', '--verbose')
  assert.equal(code, 1)
  assert.match(stderr, /^sluice: SluiceError: there is no column 'dely'[\s\S]*^ +at /m)
})
