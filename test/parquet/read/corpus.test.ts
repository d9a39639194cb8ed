import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { tableFromIPC } from 'apache-arrow'
import { type ErrorCode, isSluiceError } from '../../../src/core/errors.ts'
import { corpus, noCorpus } from '../../support/corpus.ts'
import { openDuckDB } from '../../support/duckdb.ts'
import { noPython } from '../../support/python.ts'
import { tempFolder } from '../../support/temp.ts'
import { differences, footerOf, readAsIpc, readRowGroup } from './support.ts'

const good = join(corpus, 'parquet-testing/data')
const bad = join(corpus, 'parquet-testing/bad_data')

type Refusal = [code: ErrorCode, message: RegExp]

const ENCRYPTED: Refusal = ['unsupported', /\.encrypted: the file is encrypted/]

/** Good files that Sluice refuses, and damaged ones among the good. */
const REFUSED = new Map<string, Refusal>([
  ['datapage_v1-corrupt-checksum.parquet', ['corrupt', /row group 0, column 'a': the checksum/]],
  [
    'rle-dict-uncompressed-corrupt-checksum.parquet',
    ['corrupt', /row group 0, column 'long_field': the checksum/],
  ],
  [
    'encrypt_columns_plaintext_footer.parquet.encrypted',
    ['unsupported', /column 'float_field': the column is encrypted/],
  ],
  // Two keys of a gigabyte each are more than Arrow's offsets of 32 bits reach; PyArrow refuses the file as well.
  ['large_string_map.brotli.parquet', ['unsupported', /column 'arr': a dictionary of \d+ bytes/]],
])

/** PyArrow refuses its schema (a map's keys must be required), DuckDB reads it. */
const LENIENT = 'incorrect_map_schema.parquet'

/** Every bad file that is refused; PyArrow refuses the same ones. The others have to read as in PyArrow. */
const BAD = new Map<string, Refusal>([
  ['PARQUET-1481.parquet', ['corrupt', /unknown physical type: -7/]],
  ['ARROW-RS-GH-6229-DICTHEADER.parquet', ['corrupt', /column 'name': the chunk claims bytes/]],
  ['ARROW-RS-GH-6229-LEVELS.parquet', ['corrupt', /column 'outer': the pages hold more than 1 values/]],
  ['ARROW-GH-41321.parquet', ['corrupt', /column 'int64': the definition levels/]],
  ['ARROW-GH-41317.parquet', ['corrupt', /the metadata has a list of type 4/]],
  ['ARROW-GH-45185.parquet', ['corrupt', /column 'x': .*first repetition level/]],
  ['ARROW-GH-47662.parquet', ['corrupt', /column 'flba_field': the PLAIN values/]],
])

test('the corpus is there', { skip: noCorpus }, () => {
  assert.ok(filesOf(good).length >= 70 && filesOf(bad).length >= 8)
})

for (const name of filesOf(good)) {
  const refusal = REFUSED.get(name) ?? (name.endsWith('.encrypted') ? ENCRYPTED : undefined)
  if (refusal !== undefined) test(`${name} is refused`, () => assertRefused(join(good, name), refusal))
}

for (const [name, refusal] of BAD) {
  test(`bad ${name} is refused`, { skip: noCorpus }, () => assertRefused(join(bad, name), refusal))
}

test('every other file reads as in PyArrow', { skip: noCorpus || noPython }, async t => {
  const isRead = (name: string) => !REFUSED.has(name) && !name.endsWith('.encrypted') && name !== LENIENT
  const paths = [
    ...filesOf(good)
      .filter(isRead)
      .map(name => join(good, name)),
    ...filesOf(bad)
      .filter(name => !BAD.has(name))
      .map(name => join(bad, name)),
  ]
  const found = await differences(paths, tempFolder(t))
  for (const [index, path] of paths.entries()) {
    await t.test(path.slice(corpus.length), () => assert.deepEqual(found[index], []))
  }
})

test('a page that is passed over is not even checked', { skip: noCorpus }, async () => {
  const file = readFileSync(join(good, 'datapage_v1-corrupt-checksum.parquet'))
  const read = (steps: number[]) =>
    readRowGroup(file, footerOf(file), 0, batch => assert.ok(batch.numRows > 0), { columns: ['a'], steps })
  await read([-2560, 2560]) // the first of two pages is damaged
  await assert.rejects(read([-2559, 2561]), /the checksum of a page/)
})

test(`${LENIENT} reads as in DuckDB`, { skip: noCorpus }, async t => {
  const path = join(good, LENIENT)
  const { query } = await openDuckDB(t)
  const [row] = await query(`SELECT my_map FROM '${path}'`)
  const [stream] = await readAsIpc(path)
  const ours = tableFromIPC(stream!).getChild('my_map')!.get(0)
  const entries = [...ours].map(([key, value]: [string, string]) => ({ key, value }))
  assert.deepEqual(entries, row!['my_map'])
})

function filesOf(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder).filter(name => /\.parquet(\.encrypted)?$/.test(name))
}

async function assertRefused(path: string, [code, message]: Refusal): Promise<void> {
  await assert.rejects(readAsIpc(path), error => {
    assert.ok(isSluiceError(error), String(error))
    assert.equal(error.code, code)
    assert.match(error.message, message)
    assert.ok(error.message.startsWith(path), 'the message names the file')
    return true
  })
}
