import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { DRIVER_OPTIONS } from '../../src/storage/open.ts'
import { openDuckDB, quote } from '../support/duckdb.ts'
import { root } from '../support/root.ts'
import { tempFolder } from '../support/temp.ts'

const readme = readFileSync(join(root, 'README.md'), 'utf8')
const blocks = (language: string) =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, code]) => code!)

test('the programs of the README run, and say the same as its command and DuckDB', async t => {
  const { multiset, query } = await openDuckDB(t)
  const lake = join(tempFolder(t), 'lake')
  const silver = join(lake, 'silver/flights')
  mkdirSync(join(lake, 'bronze/flights'), { recursive: true })
  const flights = join(root, 'node_modules/vega-datasets/data/flights-3m.parquet')
  copyFileSync(flights, join(lake, 'bronze/flights/flights.parquet'))

  const [main, pipelines, compaction, copying] = blocks('ts')
  const imports = "import { aggregate, col, count, filter, limit, mean, openStore, source } from 'sluice'\n"
  const run = (code: string) =>
    // In the repository, so that 'sluice' is the package itself.
    execFileSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        code.replaceAll(/'(lake|backup)'/g, (_, name) => JSON.stringify(join(lake, '..', name))),
      ],
      {
        cwd: root,
        encoding: 'utf8',
        stdio: 'pipe',
      },
    )
  const read = `FROM read_parquet(${quote(`${silver}/**/*.parquet`)}, hive_partitioning = true)`
  const [expected] = await query(
    `SELECT count(*) AS n FROM ${quote(flights)} WHERE distance > 100 AND delay IS NOT NULL`,
  )
  assert.equal(run(main!), `${expected!['n']} rows in 7 files\n`)
  const first = await multiset(read)
  assert.equal(first.rows, expected!['n'])

  rmSync(silver, { recursive: true })
  const [command] = blocks('sh')
  const shell = command!
    .replace(/^sluice/, `${quote(process.execPath)} bin/sluice.js`)
    .replaceAll(' lake/', ` ${lake}/`)
  execFileSync('bash', ['-c', shell], { cwd: root })
  assert.deepEqual(await multiset(read), first)

  const opened = "import { compact, openStore } from 'sluice'\nconst lake = await openStore('lake')\n"
  assert.equal(run(opened + compaction!), '7 files are 7 now\n')
  assert.deepEqual(await multiset(read), first)

  const both = "import { openStore, transfer } from 'sluice'\nconst lake = await openStore('lake')\n"
  assert.match(run(both + copying!), /^8 copied, 0 there already\n$/)
  assert.match(run(both + copying!), /^0 copied, 8 there already\n$/)
  assert.deepEqual(await multiset(read.replace(silver, join(lake, '../backup/silver'))), first)

  assert.match(run(imports + pipelines!), /^10 read file:.*\n {2}files 1 of 1, row groups/)
})

test('the files that the documentation links to are there', () => {
  for (const page of ['README.md', 'CONTRIBUTING.md', 'docs/stores.md', 'docs/decisions/README.md']) {
    const text = readFileSync(join(root, page), 'utf8')
    for (const [, link] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      assert.doesNotThrow(() => readFileSync(join(root, page, '..', link!)), `${page}: ${link}`)
    }
  }
})

test('the page of stores tells of every scheme and every option', () => {
  const page = readFileSync(join(root, 'docs/stores.md'), 'utf8')
  for (const [scheme, options] of Object.entries(DRIVER_OPTIONS)) {
    assert.ok(page.includes(`\`${scheme}`), scheme)
    for (const name of Object.keys(options))
      assert.match(page, new RegExp(`\`${name}[\`:]`), `${scheme} ${name}`)
  }
})

test('decisions have numbers of their own, and are all listed', () => {
  const folder = join(root, 'docs/decisions')
  const index = readFileSync(join(folder, 'README.md'), 'utf8')
  const pages = readdirSync(folder)
    .filter(name => name !== 'README.md')
    .sort()
  assert.equal(new Set(pages.map(name => name.slice(0, 4))).size, pages.length)
  for (const name of pages) {
    assert.ok(index.includes(`(${name})`), name)
    assert.match(
      readFileSync(join(folder, name), 'utf8'),
      new RegExp(`^# ${name.slice(0, 4)}: .+\\nDate: \\d{4}-\\d\\d-\\d\\d\\n`),
    )
  }
})
