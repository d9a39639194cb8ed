import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { Field, Int32, vectorFromArray } from 'apache-arrow'
import fc from 'fast-check'
import { makeBatch } from '../../../src/core/batch.ts'
import { cases } from '../../support/cases.ts'
import { noPython, python } from '../../support/python.ts'
import { tempFolder } from '../../support/temp.ts'
import { dataOf, fieldOf, MEMBERS, nestedColumn } from '../nested.ts'
import { arena, parquetBytes } from './support.ts'

const sample = fc.record({
  column: nestedColumn,
  /** Where batches and row groups end, as shares of the rows. */
  cuts: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean()), { maxLength: 3 }),
  options: fc.record({
    pageVersion: fc.constantFrom(1 as const, 2 as const),
    pageRows: fc.constantFrom(1, 3, 20_000),
    pageBytes: fc.constantFrom(4, 50, 1 << 20),
    dictionary: fc.boolean(),
    compression: fc.constantFrom('none' as const, 'zstd' as const, 'snappy' as const, 'lz4_raw' as const),
  }),
})

/** `result` lists what differs from the rows, for each file and engine. */
const PROGRAM = `
  import duckdb, polars as pl, pyarrow.parquet as pq
  members = input['members']

  def plain(value, shape):
      """Maps as pairs, whatever an engine makes of them."""
      kind = shape['kind']
      if value is None: return None
      if kind in ('list', 'fixed'): return [plain(element, shape['element']) for element in value]
      if kind == 'struct': return {members[i]: plain(value[members[i]], f) for i, f in enumerate(shape['fields'])}
      if kind != 'map': return value
      pairs = [tuple(entry.values()) if isinstance(entry, dict) else entry for entry in value]
      return [[key, plain(item, shape['value'])] for key, item in pairs]

  def read_polars(path):
      frame = pl.read_parquet(path)
      return {'id': frame['id'].to_list(), 'c': frame['c'].to_arrow().to_pylist()}

  engines = {
      'PyArrow': lambda path: pq.read_table(path, page_checksum_verification=True).to_pydict(),
      'DuckDB': lambda path: duckdb.sql(f"FROM read_parquet('{path}')").to_arrow_table().to_pydict(),
      'Polars': read_polars,
  }
  result = []
  for number, file in enumerate(input['files']):
      for name, read in engines.items():
          # In a file of PyArrow's, too, DuckDB takes a null struct of nulls for one that is there.
          if name == 'DuckDB' and "'kind': 'null'" in str(file['shape']): continue
          try:
              table = read(file['path'])
              if table['id'] != list(range(len(file['rows']))): result.append(f'{number} {name}: id {table["id"]}')
              for row, (have, want) in enumerate(zip(table['c'], file['rows'])):
                  have = plain(have, file['shape'])
                  if have != want: result.append(f'{number} {name} row {row}: {have}, not {want}, {file["shape"]}')
          except Exception as error: result.append(f'{number} {name}: {error} {file["shape"]}')
`

test('PyArrow, DuckDB and Polars read nested columns of any type', { skip: noPython }, async t => {
  const folder = tempFolder(t)
  const files = []
  for (const [i, { column, cuts, options }] of fc
    .sample(sample, { numRuns: cases(250), seed: 5 })
    .entries()) {
    const { shape, rows } = column
    const fields = [new Field('id', new Int32(), false), fieldOf('c', shape)]
    const ids = vectorFromArray(
      rows.map((_, row) => row),
      new Int32(),
    ).data[0]!
    const batch = makeBatch(fields, [ids, dataOf(shape, rows)], rows.length)
    const groups = [[]] as (typeof batch)[][]
    let start = 0
    for (const [share, group] of [...cuts.sort(([a], [b]) => a - b), [1, true] as const]) {
      const end = Math.round(share * rows.length)
      groups.at(-1)!.push(batch.slice(start, end))
      if (group) groups.push([])
      start = end
    }
    const path = join(folder, `${i}.parquet`)
    await writeFile(path, parquetBytes(fields, groups, options).bytes)
    assert.equal(arena.used, 0)
    files.push({ path, shape, rows })
  }
  assert.deepEqual(await python(PROGRAM, { files, members: MEMBERS }), [])
})
