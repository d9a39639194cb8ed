import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Data, type Field, type RecordBatch, Table, tableToIPC } from 'apache-arrow'
import { makeBatch } from '../../../src/core/batch.ts'
import type { ParquetWriteOptions } from '../../../src/parquet/write-options.ts'
import { noPython, python } from '../../support/python.ts'
import { tempFolder } from '../../support/temp.ts'
import { codedColumn, fieldOf, KINDS, type Nulls, plainColumn } from './columns.ts'
import { COMMON, ENCODINGS, READ_BY_ENGINES } from './engines.ts'
import { arena, parquetBytes } from './support.ts'

interface Sample {
  name: string
  fields: Field[]
  batch: RecordBatch
  options: ParquetWriteOptions
}

const ROWS = 700
const COMPRESSIONS = ['zstd', 'zstd:3', 'snappy', 'gzip', 'lz4_raw', 'brotli', 'none'] as const

/** One column of every kind and way to be null, as batches have them. */
function sample(
  name: string,
  options: ParquetWriteOptions,
  column: (kind: (typeof KINDS)[string], nulls: Nulls) => Data,
  kinds: readonly string[] = COMMON,
): Sample {
  const fields: Field[] = []
  const columns: Data[] = []
  for (const key of kinds) {
    for (const nulls of ['required', 'some', 'runs', 'all'] as const) {
      if (key === 'null' && nulls !== 'all') continue
      fields.push(fieldOf(`${key} ${nulls}`, KINDS[key]!, nulls !== 'required'))
      columns.push(column(KINDS[key]!, nulls))
    }
  }
  return { name, fields, batch: makeBatch(fields, columns, ROWS), options }
}

function* samples(): Generator<Sample> {
  const plain = (kind: (typeof KINDS)[string], nulls: Nulls) => plainColumn(kind, ROWS, nulls)
  const coded = (kind: (typeof KINDS)[string], nulls: Nulls) =>
    codedColumn(kind, ROWS, nulls, 60, nulls === 'some')
  const nested = COMMON.filter(key => key !== 'null')
  for (const pageVersion of [1, 2] as const) {
    for (const [i, compression] of COMPRESSIONS.entries()) {
      const pageRows = [333, 20_000, 100, 333, 64, 20_000, 1][i]!
      yield sample(`plain ${compression} v${pageVersion}`, { pageVersion, compression, pageRows }, plain)
    }
    yield sample(`BSON v${pageVersion}`, { pageVersion }, plain, ['bson'])
    yield sample(`no dictionaries v${pageVersion}`, { pageVersion, dictionary: false, pageBytes: 256 }, plain)
    yield sample(`codes v${pageVersion}`, { pageVersion, pageRows: 99 }, coded, nested)
    yield sample(`codes as values v${pageVersion}`, { pageVersion, dictionary: false }, coded, nested)
    for (const [encoding, kinds] of ENCODINGS) {
      const { fields, batch } = sample('', {}, plain, kinds)
      const encodings = Object.fromEntries(fields.map(field => [field.name, encoding]))
      yield {
        name: `${encoding} v${pageVersion}`,
        fields,
        batch,
        options: { pageVersion, encodings, pageRows: 300 },
      }
    }
  }
}

test('PyArrow, Polars and DuckDB read every type that is written', { skip: noPython }, async t => {
  const folder = tempFolder(t)
  const files = []
  for (const [i, { name, fields, batch, options }] of [...samples()].entries()) {
    const groups = [[batch.slice(0, 13), batch.slice(13, 333)], [batch.slice(333, ROWS)], []]
    const parquet = join(folder, `${i}.parquet`)
    const ipc = join(folder, `${i}.arrows`)
    await writeFile(parquet, parquetBytes(fields, groups, options).bytes)
    await writeFile(ipc, tableToIPC(new Table([batch]), 'stream'))
    assert.equal(arena.used, 0)
    const columns = fields.map(field => ({
      name: field.name,
      nullable: field.nullable,
      read: KINDS[field.name.split(' ')[0]!]!.read,
    }))
    files.push({ name, parquet, ipc, columns })
  }
  assert.deepEqual(await python(READ_BY_ENGINES, files), [])
})
