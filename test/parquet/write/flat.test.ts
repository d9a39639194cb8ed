import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Data, type Field, Table, tableToIPC } from 'apache-arrow'
import fc from 'fast-check'
import { makeBatch } from '../../../src/core/batch.ts'
import type { ColumnEncoding } from '../../../src/parquet/write-options.ts'
import { rowTexts } from '../../fuzz/row-texts.ts'
import { cases } from '../../support/cases.ts'
import { noPython, python } from '../../support/python.ts'
import { tempFolder } from '../../support/temp.ts'
import { footerOf, readRowGroup } from '../read/support.ts'
import { codedColumn, fieldOf, KINDS, type Nulls, plainColumn } from './columns.ts'
import { COMMON, ENCODINGS, READ_BY_ENGINES } from './engines.ts'
import { arena, parquetBytes } from './support.ts'

const column = fc.constantFrom(...COMMON).chain(kind =>
  fc.record({
    kind: fc.constant(kind),
    nulls: fc.constantFrom<Nulls>(
      ...(kind === 'null' ? (['all'] as const) : (['required', 'some', 'runs', 'all'] as const)),
    ),
    /** Entries of the column's dictionary in Arrow; 0: it has none. */
    entries: kind === 'null' ? fc.constant(0) : fc.oneof(fc.constant(0), fc.integer({ min: 2, max: 70 })),
    encoding: fc.option(fc.constantFrom(...encodingsOf(kind)), { nil: undefined }),
  }),
)

const sample = fc.record({
  columns: fc.array(column, { minLength: 1, maxLength: 5 }),
  rows: fc.integer({ min: 0, max: 900 }),
  /** Where batches and row groups end, as shares of the rows. */
  cuts: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean()), { maxLength: 4 }),
  options: fc.record({
    pageVersion: fc.constantFrom(1 as const, 2 as const),
    pageRows: fc.constantFrom(1, 7, 100, 20_000),
    pageBytes: fc.constantFrom(16, 300, 1 << 20),
    dictionary: fc.boolean(),
    compression: fc.constantFrom('zstd', 'zstd:3', 'snappy', 'gzip', 'lz4_raw', 'brotli', 'none'),
    crc: fc.boolean(),
  }),
})

test('flat columns of any type, written in any way, read the same everywhere', {
  skip: noPython,
}, async t => {
  const folder = tempFolder(t)
  const files = []
  for (const [i, { columns, rows, cuts, options }] of fc
    .sample(sample, { numRuns: cases(200), seed: 9 })
    .entries()) {
    const fields: Field[] = []
    const data: Data[] = []
    const encodings: Record<string, ColumnEncoding> = {}
    for (const [place, { kind, nulls, entries, encoding }] of columns.entries()) {
      const name = `${kind} ${place}`
      fields.push(fieldOf(name, KINDS[kind]!, nulls !== 'required'))
      data.push(
        entries === 0
          ? plainColumn(KINDS[kind]!, rows, nulls)
          : codedColumn(KINDS[kind]!, rows, nulls, entries, nulls === 'some'),
      )
      if (encoding !== undefined) encodings[name] = encoding
    }
    const batch = makeBatch(fields, data, rows)
    const groups = [[]] as (typeof batch)[][]
    let start = 0
    for (const [share, group] of [...cuts.sort(([a], [b]) => a - b), [1, true] as const]) {
      const end = Math.round(share * rows)
      groups.at(-1)!.push(batch.slice(start, end))
      if (group) groups.push([])
      start = end
    }
    const { bytes } = parquetBytes(fields, groups, { ...options, encodings })
    assert.equal(arena.used, 0)
    const parquet = join(folder, `${i}.parquet`)
    const ipc = join(folder, `${i}.arrows`)
    await writeFile(parquet, bytes)
    await writeFile(ipc, tableToIPC(new Table([batch]), 'stream'))
    // BYTE_STREAM_SPLIT of byte arrays is not read by all: the program goes by the name.
    const name = `${Object.values(encodings).includes('BYTE_STREAM_SPLIT') ? 'BYTE_STREAM_SPLIT' : 'file'} ${i}`
    const described = fields.map(({ name, nullable }, place) => {
      return { name, nullable, read: KINDS[columns[place]!.kind]!.read }
    })
    files.push({ name, parquet, ipc, columns: described })
    await assertReadBack(bytes, batch)
  }
  assert.deepEqual(await python(READ_BY_ENGINES, files), [])
})

function encodingsOf(kind: string): ColumnEncoding[] {
  return ENCODINGS.filter(([, kinds]) => kinds.includes(kind)).map(([encoding]) => encoding)
}

/** Types that Parquet has no word for come back as their nearest ones; values are the same. */
async function assertReadBack(file: Uint8Array, batch: Parameters<typeof rowTexts>[0]): Promise<void> {
  const metadata = footerOf(file)
  const texts: string[] = []
  for (let group = 0; group < metadata.rowGroups.length; group++) {
    await readRowGroup(file, metadata, group, read => void texts.push(...rowTexts(read)))
  }
  assert.equal(texts.length, batch.numRows)
  const converted = /^(dateMillisecond|timeSecond|timestampSecond|decimal|large)/
  if (batch.schema.fields.some(({ name }) => converted.test(name))) return
  assert.deepEqual(texts, rowTexts(batch))
}
