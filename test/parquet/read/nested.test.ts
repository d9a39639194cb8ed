import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { type Data, type RecordBatch, Vector } from 'apache-arrow'
import fc from 'fast-check'
import { makeBatch } from '../../../src/core/batch.ts'
import { isSluiceError } from '../../../src/core/errors.ts'
import { cases } from '../../support/cases.ts'
import { noPython, python } from '../../support/python.ts'
import { tempFolder } from '../../support/temp.ts'
import { dataOf, fieldOf, MEMBERS, nestedColumn } from '../nested.ts'
import { parquetBytes } from '../write/support.ts'
import { arena, footerOf, readAsIpc, readRowGroup } from './support.ts'

/** What both snippets know of the columns. */
const COMMON = `
  import pyarrow as pa
  members = input['members']
  LEAVES = {'int32': pa.int32(), 'float64': pa.float64(), 'bool': pa.bool_(), 'utf8': pa.string(),
      'coded': pa.string(), 'null': pa.null()}

  def field(name, shape): return pa.field(name, type_of(shape), shape['nullable'])

  def type_of(shape):
      kind = shape['kind']
      if kind == 'struct': return pa.struct([field(members[i], f) for i, f in enumerate(shape['fields'])])
      if kind == 'map': return pa.map_(field('key', shape['key']), field('value', shape['value']))
      if kind in ('list', 'fixed'): return pa.list_(field('element', shape['element']))
      return LEAVES[kind]

  def value_of(value, shape):
      """With tuples as the entries of maps, as PyArrow has them."""
      kind = shape['kind']
      if value is None: return None
      if kind in ('list', 'fixed'): return [value_of(element, shape['element']) for element in value]
      if kind == 'map': return [(key, value_of(item, shape['value'])) for key, item in value]
      if kind != 'struct': return value
      return {members[i]: value_of(value[members[i]], f) for i, f in enumerate(shape['fields'])}
`

/** Writes each column as PyArrow, Polars and DuckDB do; `result` are the paths and the ordinals of their columns. */
const WRITE = `${COMMON}
  import duckdb, polars as pl, pyarrow.parquet as pq
  result = []

  def path(writer, column):
      result.append([f"{input['folder']}/{column}-{writer}.parquet", column])
      return result[-1][0]

  for number, column in enumerate(input['columns']):
      shape = column['shape']
      rows = [value_of(row, shape) for row in column['rows']]
      data = pa.table([pa.array(rows, type_of(shape))], schema=pa.schema([field('c', shape)]))
      pq.write_table(data, path('pyarrow', number), store_schema=False, write_batch_size=1, **column['options'])
      # Polars and DuckDB have no type of nulls only in Parquet.
      if "'null'" in str(shape): continue
      pl.from_arrow(data).write_parquet(path('polars', number), data_page_size=40, row_group_size=7)
      duckdb.sql(f"COPY (FROM data) TO '{path('duckdb', number)}' (FORMAT parquet)")
`

/** Our reading as PyArrow understands it, against the rows; not against its own reading, which loses some. */
const CHECK = `${COMMON}
  result = []
  for file in input['files']:
      column = input['columns'][file['column']]
      try:
          have = []
          for stream in file['streams']:
              chunk = pa.ipc.open_stream(stream).read_all()
              # JavaScript's Arrow gives slices of null arrays a wrong count of nulls.
              if "'null'" not in str(column['shape']): chunk.validate(full=True)
              have += chunk['c'].to_pylist()
          for row, want in enumerate(column['rows']):
              want = value_of(want, column['shape'])
              if have[row] != want: result.append(f"{file['path']}[{row}]: {have[row]}, not {want}")
          if len(have) > len(column['rows']): result.append(f"{file['path']}: {len(have)} rows")
      except Exception as error: result.append(f"{file['path']}: {error!r}")
`

const options = fc.record({
  data_page_version: fc.constantFrom('1.0', '2.0'),
  data_page_size: fc.constantFrom(1, 30, 1 << 20),
  use_dictionary: fc.boolean(),
  row_group_size: fc.constantFrom(5, 1000),
  compression: fc.constantFrom('none', 'snappy', 'zstd', 'gzip', 'brotli', 'lz4'),
})

test('nested columns of any type read as they were, whoever wrote them', { skip: noPython }, async t => {
  const folder = tempFolder(t)
  const sample = fc.record({ column: nestedColumn, options })
  const columns = fc.sample(sample, { numRuns: cases(150), seed: 3 }).map(({ column, options }) => {
    return { ...column, options }
  })
  const known = { members: MEMBERS, columns, folder }
  const written = await python<[path: string, column: number][]>(WRITE, known)
  assert.ok(written.length > cases(300))
  const files = []
  for (const [path, column] of written) {
    const streams: string[] = []
    for (const [i, stream] of (await readAsIpc(path)).entries()) {
      streams.push(`${path}-${i}.arrows`)
      await writeFile(streams.at(-1)!, stream)
    }
    files.push({ path, column, streams })
  }
  assert.deepEqual(await python(CHECK, { ...known, files }), [])
})

/** A file of ours, with small pages, no checksums and nothing compressed. */
function fileOf(
  { shape, rows }: { shape: Parameters<typeof dataOf>[0]; rows: unknown[] },
  pageVersion: 1 | 2,
) {
  const field = fieldOf('c', shape)
  const batch = makeBatch([field], [dataOf(shape, rows)], rows.length)
  return parquetBytes([field], [[batch]], { pageRows: 3, pageVersion, crc: false, compression: 'none' }).bytes
}

const textOf = (batch: RecordBatch): string[] =>
  Array.from(new Vector(batch.data.children as Data[]), value => JSON.stringify(value))

test('rows read in pieces and skipped are those of the whole', async () => {
  const steps = fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(nestedColumn, steps, fc.constantFrom(1, 2), async (column, steps, pageVersion) => {
      const file = fileOf(column, pageVersion as 1 | 2)
      const metadata = footerOf(file)
      const whole: string[] = []
      await readRowGroup(file, metadata, 0, batch => void whole.push(...textOf(batch)))
      const expected: string[][] = []
      let row = 0
      for (const step of steps) {
        if (step >= 0) expected.push(whole.slice(row, row + step))
        row = Math.min(whole.length, row + Math.abs(step))
      }
      const pieces: string[][] = []
      await readRowGroup(file, metadata, 0, batch => void pieces.push(textOf(batch)), {
        steps,
        inArena: true,
      })
      assert.deepEqual(pieces, expected)
    }),
    { numRuns: cases(200), seed: 9 },
  )
})

test('damaged levels and values are a typed error, or values all the same', async () => {
  const edits = fc.array(fc.tuple(fc.nat(1 << 20), fc.nat(255)), { minLength: 1, maxLength: 4 })
  let failures = 0
  await fc.assert(
    fc.asyncProperty(nestedColumn, edits, fc.constantFrom(1, 2), async (column, edits, pageVersion) => {
      const file = fileOf(column, pageVersion as 1 | 2)
      const metadata = footerOf(file)
      const { columns } = metadata.rowGroups[0]!
      const end = columns.reduce((sum, chunk) => sum + chunk.totalCompressedSize, 4)
      for (const [at, value] of edits) if (end > 4) file[4 + (at % (end - 4))] = value
      try {
        await readRowGroup(file, metadata, 0, batch => {
          assert.equal(batch.numRows, column.rows.length)
          checkOffsets(batch.data.children[0]!)
        })
      } catch (error) {
        if (!isSluiceError(error)) throw error
        assert.ok(['corrupt', 'unsupported'].includes(error.code), error.message)
        const { cause } = error
        if (cause instanceof Error && !('code' in cause)) throw cause
        failures++
      }
      assert.equal(arena.used, 0)
    }),
    { numRuns: cases(1500), seed: 4 },
  )
  assert.ok(failures > cases(300), `${failures} failures`)
})

/** What Arrow demands of nested data: offsets ascend within their elements, members are as long as their struct. */
function checkOffsets(data: Data): void {
  const { length, valueOffsets, children } = data
  const isList = children.length === 1 && valueOffsets !== undefined
  if (isList) {
    for (let i = 0; i < length; i++) assert.ok(valueOffsets[i]! <= valueOffsets[i + 1]!)
    assert.equal(valueOffsets[0], 0)
    assert.equal(valueOffsets[length], children[0]!.length)
  } else for (const child of children) assert.equal(child.length, length)
  for (const child of children) checkOffsets(child)
}
