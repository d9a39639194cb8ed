import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bool, Dictionary, Field, Float64, Int8, Int32, Int64, Utf8, vectorFromArray } from 'apache-arrow'
import { parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { arena, batchOf, parquetBytes } from './support.ts'

const rows = 30_000
const values = {
  id: (i: number) => (i % 7 === 0 ? null : BigInt(i * 3)),
  wave: (i: number) => Math.sin(i),
  few: (i: number) => (i % 5 === 0 ? null : `text ${i % 100}`),
  many: (i: number) => `unique ${i}${'x'.repeat(i % 50)}`,
  coded: (i: number) => (i % 5 === 0 ? null : `code ${i % 3}`),
  flag: (i: number) => (i % 5 === 0 ? null : i % 3 === 0),
  small: (i: number) => (i % 100) - 50,
}
const types = {
  id: new Int64(),
  wave: new Float64(),
  few: new Utf8(),
  many: new Utf8(),
  coded: new Dictionary(new Utf8(), new Int32()),
  flag: new Bool(),
  small: new Int8(),
}
const names = Object.keys(values) as (keyof typeof values)[]

for (const pageVersion of [1, 2] as const) {
  for (const compression of ['zstd', 'zstd:3', 'snappy', 'gzip', 'lz4_raw', 'brotli', 'none'] as const) {
    test(`hyparquet reads pages of version ${pageVersion} with ${compression}`, async () => {
      const fields = names.map(name => new Field(name, name === 'coded' ? new Utf8() : types[name], true))
      const columns = names.map(name =>
        vectorFromArray(
          Array.from({ length: rows }, (_, i) => values[name](i)),
          types[name],
        ),
      )
      const batch = batchOf(fields, columns)
      const groups = [[batch.slice(0, 101), batch.slice(101, rows)], [batch], []]
      const { bytes } = parquetBytes(fields, groups, { pageVersion, compression })
      assert.equal(arena.used, 0)
      const read = await parquetReadObjects({ file: bytes.buffer, compressors })
      assert.equal(read.length, 2 * rows)
      for (const [i, row] of read.entries()) {
        for (const name of names) assert.equal(row[name], values[name](i % rows), `${name} of row ${i}`)
      }
    })
  }
}
