import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  filter,
  isSluiceError,
  type Pipeline,
  project,
  RequestCounts,
  source,
  sql,
  withObserver,
} from '../../src/index.ts'
import { writeFooter } from '../../src/parquet/footer-writer.ts'
import { readOffsetIndex } from '../../src/parquet/index-pages.ts'
import type { ColumnChunkMetadata, PageLocation } from '../../src/parquet/metadata.ts'
import { ThriftWriter } from '../../src/parquet/thrift-writer.ts'
import { footerOf } from '../parquet/read/support.ts'
import { noPython, python } from '../support/python.ts'
import { openWorkspace } from './support.ts'

const { folder, store } = await openWorkspace({ after })
/** 3 row groups of 2,000 rows, in pages of 100 rows; `scattered` has each of its values in every page. */
const ROWS = 6000
const COLUMNS = 5
const PAGES = 20

before(async () => {
  if (noPython) return
  await python(
    `
    import pyarrow as pa, pyarrow.parquet as pq
    n = ${ROWS}
    rows = pa.table({
        'id': pa.array(range(n), pa.int64()),
        'scattered': pa.array([i * 37 % 100 for i in range(n)], pa.int32()),
        'text': pa.array([f'text {i:05}' * 40 for i in range(n)]),
        'real': pa.array([i / 8 for i in range(n)]),
        'word': pa.array([f'word {i % 7}' for i in range(n)]),
    })
    pages = dict(row_group_size=2000, max_rows_per_page=100, write_batch_size=100, compression='none', use_dictionary=['word'])
    pq.write_table(rows, f'{input}/indexed.parquet', write_page_index=True, **pages)
    pq.write_table(rows, f'{input}/plain.parquet', **pages)
    nested = pa.table({'id': rows['id'], 'list': pa.array([None if i % 5 == 0 else [i] * (i % 3) for i in range(n)])})
    pq.write_table(nested, f'{input}/nested.parquet', write_page_index=True, **pages)
    `,
    folder,
  )
})

/** Runs a filter over a file; what came, and what it took. */
async function run(files: string, condition: string, columns?: string[]) {
  const counts = new RequestCounts()
  const observed = source(withObserver(store, counts.add), { files })
  const filtered = observed.pipe(filter(sql(condition)))
  const pipeline: Pipeline = columns === undefined ? filtered : filtered.pipe(project(...columns))
  const ids: number[] = []
  const report = await pipeline.to({
    name: 'ids',
    async write(plan, run) {
      for await (const batch of plan.batches(run)) {
        ids.push(...Array.from(batch.getChild('id')!, id => Number(id)))
      }
      return run.report()
    },
  })
  return { ids, report, counts }
}

const size = (file: string) => readFileSync(join(folder, file)).length

describe('pages', { skip: noPython }, () => {
  test('only those that the page index does not rule out are read, in every column', async () => {
    const { ids, report, counts } = await run('indexed.parquet', 'id between 2150 and 2160')
    assert.deepEqual(
      ids,
      Array.from({ length: 11 }, (_, i) => 2150 + i),
    )
    assert.deepEqual(report.rowGroups, { total: 3, pruned: 2, copied: 0, joined: 0 })
    assert.deepEqual(report.pages, { total: PAGES * COLUMNS, pruned: (PAGES - 1) * COLUMNS })
    assert.equal(report.rowsIn, 100)
    // The footer, the page index, and the pages.
    assert.equal((counts.requests.getRanges ?? 0) + (counts.requests.get ?? 0), 3)
    const whole = await run('plain.parquet', 'id between 2150 and 2160')
    assert.deepEqual(whole.ids, ids)
    assert.ok(report.bytesRead < whole.report.bytesRead / 4)
  })

  test('conditions on two columns meet in the rows that both leave', async () => {
    const { ids, report } = await run('indexed.parquet', 'id >= 1950 and real < 256.25')
    assert.equal(ids.length, 100)
    assert.equal(report.rowsIn, 200)
    const none = await run('indexed.parquet', "id < 100 and text >= 'text 00100'")
    assert.deepEqual([none.ids, none.report.rowsIn], [[], 0])
    assert.deepEqual(none.report.rowGroups, { total: 3, pruned: 3, copied: 0, joined: 0 })
  })

  test('without an index all is fetched, and only pages of chosen rows are opened', async () => {
    const { ids, report } = await run('plain.parquet', 'id in (2150, 3999)')
    assert.deepEqual(ids, [2150, 3999])
    // All pages of `id`, and two of every other column.
    const opened = PAGES + 2 * (COLUMNS - 1)
    assert.deepEqual(report.pages, { total: PAGES * COLUMNS, pruned: PAGES * COLUMNS - opened })
  })

  test('where a filter leaves no row the other columns are not opened', async () => {
    const { ids, report } = await run('indexed.parquet', 'id % 7919 = 7000')
    assert.deepEqual(ids, [])
    assert.deepEqual(report.pages, { total: 3 * PAGES * COLUMNS, pruned: 3 * PAGES * (COLUMNS - 1) })
  })

  for (const condition of [
    "word = 'word 33'",
    "word like '%33'",
    'length(word) = 7 and id >= 0',
    "word in ('word 11', 'word 22') and real > 1",
  ]) {
    test(`where the dictionary has no wanted value no page is decompressed: ${condition}`, async () => {
      const { ids, report } = await run('indexed.parquet', condition)
      assert.deepEqual(ids, [])
      assert.equal(report.pages.pruned, report.pages.total)
      assert.ok(report.pages.total >= 3 * (PAGES - 1) * COLUMNS)
    })
  }

  test('a nested column keeps to the rows of the others', async () => {
    const wanted = [...Array.from({ length: 11 }, (_, i) => 2150 + i), 3999]
    for (const mode of ['streaming', 'fragment', 'batch'] as const) {
      const nested = source(store, { files: 'nested.parquet', mode, batchRows: 7 })
      const table = await nested.pipe(filter(sql('id between 2150 and 2160 or id = 3999'))).collect()
      assert.deepEqual(
        table.toArray().map(({ id, list }) => [Number(id), list && Array.from(list, Number)]),
        wanted.map(id => [id, id % 5 === 0 ? null : Array.from({ length: id % 3 }, () => id)]),
      )
      const none = await nested.pipe(filter(sql('id % 7919 = 7000'))).collect()
      assert.equal(none.numRows, 0)
    }
  })

  test('a partition key is what its folder says, in pages as well', async () => {
    mkdirSync(join(folder, 'keyed/id=7'), { recursive: true })
    copyFileSync(join(folder, 'indexed.parquet'), join(folder, 'keyed/id=7/rows.parquet'))
    const keyed = source(store.child('keyed')).pipe(filter(sql('id = 7 and real >= 500')))
    const table = await keyed.collect()
    assert.equal(table.numRows, 2000)
    const none = source(store.child('keyed')).pipe(filter(sql('id = 2150 or real < 0')))
    assert.equal((await none.collect()).numRows, 0)
  })

  test('explain() tells of rows, bytes and pages', async () => {
    const pipeline = source(store, { files: 'indexed.parquet' }).pipe(filter(sql('id between 2150 and 2160')))
    const plan = await pipeline.explain()
    assert.equal(plan.source.rows, 100)
    assert.equal(plan.source.pages.pruned, (PAGES - 1) * COLUMNS)
    assert.ok(plan.source.bytes! < size('indexed.parquet') / 40)
    assert.match(plan.toString(), /row groups 1 of 3, without 95 of their pages, 100 rows/)
  })
})

/** `indexed.parquet` with other page indexes of its first column: new bytes, or what the footer says of them. */
function withIndex(
  name: string,
  change: (chunk: ColumnChunkMetadata, pages: PageLocation[]) => { offset?: Uint8Array; column?: Uint8Array },
): string {
  const file = readFileSync(join(folder, 'indexed.parquet'))
  const metadata = structuredClone(footerOf(file))
  const parts: Uint8Array[] = [file.subarray(0, file.length - 8)]
  let end = file.length - 8
  const place = (bytes: Uint8Array): number => {
    parts.push(bytes)
    end += bytes.length
    return end - bytes.length
  }
  for (const group of metadata.rowGroups) {
    const chunk = group.columns[0]!
    const start = chunk.offsetIndexOffset!
    const { pages } = readOffsetIndex(file.subarray(start, start + chunk.offsetIndexLength!))
    const { offset, column } = change(chunk, pages)
    if (offset) Object.assign(chunk, { offsetIndexOffset: place(offset), offsetIndexLength: offset.length })
    if (column) Object.assign(chunk, { columnIndexOffset: place(column), columnIndexLength: column.length })
  }
  writeFileSync(join(folder, name), Buffer.concat([...parts, writeFooter(metadata)]))
  return name
}

function offsetIndex(pages: readonly PageLocation[]): Uint8Array {
  const w = new ThriftWriter(1024)
  w.list(1, 'struct', pages, page =>
    w.elementStruct(() => {
      w.i64(1, page.offset)
      w.i32(2, page.compressedPageSize)
      w.i64(3, page.firstRowIndex)
    }),
  )
  return w.finish()
}

/** Says of each page that its values lie between 0 and 1. */
function columnIndex(pages: number): Uint8Array {
  const w = new ThriftWriter(1024)
  const each = Array.from({ length: pages }, (_, i) => i)
  w.list(1, 'bool', each, () => w.elementBool(false))
  for (const [id, bound] of [
    [2, 0],
    [3, 1],
  ] as const) {
    w.list(id, 'binary', each, () => w.elementBinary(new Uint8Array(BigInt64Array.of(BigInt(bound)).buffer)))
  }
  w.i32(4, 0)
  return w.finish()
}

describe('an index that contradicts itself, the footer or the file is ignored', { skip: noPython }, () => {
  const damages: Record<string, Parameters<typeof withIndex>[1]> = {
    'pages in another order': (_, [a, b, ...rest]) => ({
      offset: offsetIndex([{ ...b!, firstRowIndex: 0 }, { ...a!, firstRowIndex: 100 }, ...rest]),
    }),
    'rows in another order': (_, [a, b, c, ...rest]) => ({
      offset: offsetIndex([a!, { ...b!, firstRowIndex: 200 }, { ...c!, firstRowIndex: 100 }, ...rest]),
    }),
    'pages that overlap': (_, [a, ...rest]) => ({
      offset: offsetIndex([{ ...a!, compressedPageSize: a!.compressedPageSize + 1 }, ...rest]),
    }),
    'a page outside of the chunk': (_, pages) => ({
      offset: offsetIndex(pages.with(-1, { ...pages.at(-1)!, compressedPageSize: 1 << 20 })),
    }),
    'more rows than there are': (_, pages) => ({
      offset: offsetIndex(pages.with(-1, { ...pages.at(-1)!, firstRowIndex: 2000 })),
    }),
    'a first page that is not the first': (_, [, ...pages]) => ({
      offset: offsetIndex(pages),
      column: columnIndex(pages.length),
    }),
    'no pages': () => ({ offset: offsetIndex([]), column: columnIndex(0) }),
    'bytes that are no index': () => ({ offset: new Uint8Array(40).fill(0xff) }),
    'a column index of bytes that are none': () => ({ column: new Uint8Array(40).fill(0xff) }),
    'a column index of fewer pages': (_, pages) => ({ column: columnIndex(pages.length - 1) }),
    'an index outside of the file': chunk => {
      chunk.columnIndexOffset = 2 ** 40
      return {}
    },
    'an index without a length': chunk => {
      delete chunk.offsetIndexLength
      return {}
    },
  }
  for (const [name, damage] of Object.entries(damages)) {
    test(name, async () => {
      const file = withIndex('damaged.parquet', damage)
      const { ids, report } = await run(file, 'id between 2150 and 2160 or id = 5999')
      assert.deepEqual(ids, [...Array.from({ length: 11 }, (_, i) => 2150 + i), 5999])
      assert.equal(report.rowsIn, 4000)
    })
  }

  test('rows that the pages do not have are an error', async () => {
    const file = withIndex('shifted.parquet', (_, pages) => ({
      offset: offsetIndex(pages.map((page, i) => (i === 2 ? { ...page, firstRowIndex: 190 } : page))),
    }))
    await assert.rejects(
      run(file, 'id between 2150 and 2160'),
      error =>
        isSluiceError(error) && error.code === 'corrupt' && error.column === 'id' && error.rowGroup === 1,
    )
  })
})
