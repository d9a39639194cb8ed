import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { Field } from 'apache-arrow'
import fc from 'fast-check'
import { parquetMetadata, readColumnIndex, readOffsetIndex } from 'hyparquet'
import { arrowSchema } from '../../../src/parquet/arrow-schema.ts'
import { ParquetFileWriter } from '../../../src/parquet/file-writer.ts'
import { readFooter } from '../../../src/parquet/footer.ts'
import type { StoredChunk } from '../../../src/parquet/merge-chunks.ts'
import { mergeRowGroups } from '../../../src/parquet/merge-row-groups.ts'
import { chunkRange, type FileMetadata } from '../../../src/parquet/metadata.ts'
import {
  type ParquetWriteOptions,
  type ResolvedWriteOptions,
  resolveWriteOptions,
} from '../../../src/parquet/write-options.ts'
import { cases } from '../../support/cases.ts'
import { type DuckDB, openDuckDB, quote } from '../../support/duckdb.ts'
import { noPython, python } from '../../support/python.ts'
import { tempFolder } from '../../support/temp.ts'
import { arena } from './support.ts'

/** Integers, texts and doubles with nulls; dictionaries that differ from file to file, and columns without. */
const rows = (from: number, to: number) => `SELECT
  i AS id,
  make_timestamp(1704067200000000 + i * 1000003) AS ts,
  CASE WHEN hash(i, 1) % 5 > 0 THEN (hash(i, 2) % 40 + i // 100)::INTEGER END AS code,
  CASE WHEN hash(i, 3) % 7 > 0 THEN printf('name-%d', (hash(i, 4) % 30 + i // 50)::INTEGER) END AS name,
  CASE WHEN hash(i, 5) % 3 > 0 THEN hash(i, 6) / 1e9 END AS amount,
  CASE WHEN hash(i, 8) % 3 > 0 THEN hash(i, 8) % 2 = 0 END AS flag,
  format('{:x}', hash(i, 7)) AS note,
  CASE WHEN i > 900 THEN 'late' END AS late
  FROM range(${from}, ${to}) AS source(i)`

describe('mergeRowGroups', () => {
  for (const compression of ['zstd', 'snappy', 'uncompressed']) {
    for (const version of ['V1', 'V2']) {
      it(`joins row groups of DuckDB's, ${compression}, pages ${version}`, async t => {
        const folder = tempFolder(t)
        const duckdb = await openDuckDB(t)
        const files = [0, 300, 301, 1000].map((to, i, ends) => {
          const path = join(folder, `${i}.parquet`)
          return { path, sql: rows(i === 0 ? 0 : ends[i - 1]!, to) }
        })
        const options = `FORMAT parquet, COMPRESSION ${compression}, PARQUET_VERSION ${version}`
        for (const { path, sql } of files.slice(1)) {
          await duckdb.connection.run(`COPY (${sql}) TO ${quote(path)} (${options})`)
        }
        const groups = files.slice(1).map(({ path }) => stored(path))
        const merged = await check(duckdb, folder, groups, rows(0, 1000))
        assert.equal(merged.rowGroups.length, 1)
      })
    }
  }

  for (const version of ['1.0', '2.0']) {
    it(`gives levels to pages of columns without nulls, pages ${version}`, { skip: noPython }, async t => {
      const folder = tempFolder(t)
      const duckdb = await openDuckDB(t)
      const paths = await python<string[]>(
        `
        import pyarrow as pa, pyarrow.parquet as pq
        paths = []
        for part in range(3):
            rows = range(part * 400, part * 400 + 400)
            fields, columns = [], []
            def add(name, type, values, nullable):
                fields.append(pa.field(name, type, nullable=nullable)); columns.append(pa.array(values, type))
            # The last file has nulls where the others cannot have any.
            last = part == 2
            add('id', pa.int64(), rows, False)
            add('name', pa.string(), [f'n{i % (20 + part)}' if not last or i % 3 else None for i in rows], last)
            add('note', pa.string(), [f'{i * 2654435761 % 2**32:x}' for i in rows], last)
            add('flag', pa.bool_(), [i % 3 == 0 for i in rows], False)
            path = f'{input["folder"]}/{part}.parquet'
            pq.write_table(pa.table(columns, pa.schema(fields)), path, compression='zstd',
                data_page_version=input['version'], data_page_size=500, write_page_checksum=True)
            paths.append(path)
        result = paths`,
        { folder, version },
      )
      const sources = paths.map(stored)
      const expected = `FROM read_parquet([${paths.map(quote).join(', ')}])`
      await check(duckdb, folder, [sources[2]!, ...sources.slice(0, 2)], expected)
      const read = await python<unknown>(
        `
        import pyarrow.parquet as pq
        merged = pq.read_table(input[-1], page_checksum_verification=True).sort_by('id')
        whole = pq.ParquetDataset(input[:-1]).read().sort_by('id')
        result = merged.to_pylist() == whole.to_pylist()`,
        [...paths, join(folder, 'merged.parquet')],
      )
      assert.equal(read, true)
    })
  }

  it('a page has the bounds and the nulls of its rows', async t => {
    const folder = tempFolder(t)
    const duckdb = await openDuckDB(t)
    // Pages of 3000 rows are copied, of 300 rows gathered.
    const ends = [0, 3000, 3300, 3600, 6600, 6900]
    const paths = ends.slice(1).map((to, i) => ({ path: join(folder, `${i}.parquet`), from: ends[i]!, to }))
    for (const { path, from, to } of paths) {
      await duckdb.connection.run(
        `COPY (SELECT id, code, name FROM (${rows(from, to)})) TO ${quote(path)} (FORMAT parquet)`,
      )
    }
    await check(
      duckdb,
      folder,
      paths.map(({ path }) => stored(path)),
      `SELECT id, code, name FROM (${rows(0, 6900)})`,
    )
    const path = join(folder, 'merged.parquet')
    const bytes = readFileSync(path)
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)
    const metadata = parquetMetadata(file)
    const [group] = metadata.row_groups
    for (const [index, chunk] of group!.columns.entries()) {
      const name = ['id', 'code', 'name'][index]!
      const indexAt = (offset: bigint | undefined, length: number | undefined) => ({
        view: new DataView(file, Number(offset), length),
        offset: 0,
      })
      const element = metadata.schema[index + 1]!
      const { page_locations } = readOffsetIndex(
        indexAt(chunk.offset_index_offset, chunk.offset_index_length),
      )
      const { min_values, max_values, null_counts } = readColumnIndex(
        indexAt(chunk.column_index_offset, chunk.column_index_length),
        element,
      )
      assert.equal(page_locations.length, name === 'id' ? 4 : 1)
      for (const [page, { first_row_index: from }] of page_locations.entries()) {
        const to = page_locations[page + 1]?.first_row_index ?? metadata.num_rows
        const [truth] = await duckdb.query(
          `SELECT min(${name}) AS min, max(${name}) AS max, count(*) - count(${name}) AS nulls
           FROM read_parquet(${quote(path)}, file_row_number = true)
           WHERE file_row_number >= ${from} AND file_row_number < ${to}`,
        )
        assert.deepEqual({ min: min_values[page], max: max_values[page], nulls: null_counts?.[page] }, truth)
      }
    }
  })

  for (const [compression, size] of [
    ['uncompressed', 300],
    ['zstd', 3000],
  ] as const) {
    it(`what is wrong with one part does not reach the rows of others, ${compression}`, async t => {
      const folder = tempFolder(t)
      const duckdb = await openDuckDB(t)
      const parts = [0, size, 2 * size].map(from => ({ path: join(folder, `${from}.parquet`), from }))
      for (const { path, from } of parts) {
        await duckdb.connection.run(
          `COPY (${rows(from, from + size)}) TO ${quote(path)} (FORMAT parquet, COMPRESSION ${compression})`,
        )
      }
      const sources = parts.map(({ path }) => stored(path))
      const { fields } = arrowSchema(sources[0]!.metadata)
      const others = `${rows(0, size)} UNION ALL ${rows(2 * size, 3 * size)}`
      const options = resolveWriteOptions()
      let joined = 0
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: fields.length - 1 }),
          fc.array(fc.tuple(fc.nat(), fc.nat(255)), {
            minLength: 1,
            maxLength: 3,
          }),
          async (column, flips) => {
            const chunks = [...sources[1]!.chunks]
            const bytes = Uint8Array.from(chunks[column]!.bytes)
            for (const [at, value] of flips) bytes[at % bytes.length] = value
            chunks[column] = { ...chunks[column]!, bytes }
            const merged = mergeRowGroups(
              arena,
              fields,
              [sources[0]!.chunks, chunks, sources[2]!.chunks],
              options,
            )
            if (merged === undefined) return
            const path = writeMerged(folder, fields, merged, options)
            const read = `FROM read_parquet(${quote(path)}) WHERE id < ${size} OR id >= ${2 * size}`
            const actual = await duckdb.multiset(read).catch(() => undefined)
            // Nobody can read the part, and so nobody the chunk.
            if (actual === undefined) return
            assert.deepEqual(actual, await duckdb.multiset(others))
            joined++
          },
        ),
        { numRuns: cases(300), seed: 3 },
      )
      assert.ok(joined > cases(20), `${joined} were joined`)
    })
  }
})

interface Stored {
  metadata: FileMetadata
  chunks: StoredChunk[]
}

function stored(path: string): Stored {
  const bytes = readFileSync(path)
  const footer = readFooter(bytes, bytes.length, path)
  assert.ok('metadata' in footer)
  const { metadata } = footer
  const [group] = metadata.rowGroups
  const chunks = group!.columns.map((chunk, index) => {
    const { start, end } = chunkRange(chunk)
    const optional = metadata.columns[index]!.element.repetition === 'OPTIONAL'
    const { codec, statistics } = chunk
    return { codec, statistics, bytes: bytes.subarray(start, end), rows: group!.numRows, optional }
  })
  return { metadata, chunks }
}

/** Joins row groups to a file that DuckDB reads as `expected`; returns its metadata as it is read back. */
async function check(
  duckdb: DuckDB,
  folder: string,
  sources: readonly Stored[],
  expected: string,
  options: ParquetWriteOptions = {},
): Promise<FileMetadata> {
  const { fields } = arrowSchema(sources[0]!.metadata)
  const resolved = resolveWriteOptions(options)
  const merged = mergeRowGroups(
    arena,
    fields,
    sources.map(({ chunks }) => chunks),
    resolved,
  )
  assert.ok(merged !== undefined)
  const path = writeMerged(folder, fields, merged, resolved)
  assert.deepEqual(
    await duckdb.multiset(`FROM read_parquet(${quote(path)})`),
    await duckdb.multiset(expected),
  )
  return stored(path).metadata
}

/** Puts a row group into a file; returns its path. */
function writeMerged(
  folder: string,
  fields: readonly Field[],
  { group, output }: NonNullable<ReturnType<typeof mergeRowGroups>>,
  options: ResolvedWriteOptions,
): string {
  const path = join(folder, 'merged.parquet')
  const writer = new ParquetFileWriter(fields, options)
  const header = writer.header()
  writer.append(group, group.bytes.length)
  writeFileSync(path, Buffer.concat([header, group.bytes, writer.finish().bytes]))
  output.free()
  return path
}
