import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Data, Dictionary, Int8, Int32, makeData, makeVector, type Vector } from 'apache-arrow'
import fc from 'fast-check'
import { parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import type { Region } from '../../../src/core/arena.ts'
import { makeBatch } from '../../../src/core/batch.ts'
import { cases } from '../../support/cases.ts'
import { codedColumn, fieldOf, KINDS, type Nulls, plainColumn } from './columns.ts'
import { arena, parquetBytes } from './support.ts'

/** A slice of a column, as a partition collects them. */
interface Piece {
  nulls: Nulls
  /** Rows before the slice, in it and after it. */
  rows: [before: number, within: number, after: number]
  /** Which dictionary the codes belong to; none: plain. */
  dictionary: number | undefined
  /** Codes of one byte instead of four. */
  narrow: boolean
  inArena: boolean
}

const kinds = [
  'int8',
  'uint32',
  'int64',
  'float64',
  'bool',
  'utf8',
  'few',
  'largeUtf8',
  'binary',
  'fixed4',
] as const

const piece: fc.Arbitrary<Piece> = fc.record({
  nulls: fc.constantFrom<Nulls>('required', 'some', 'runs', 'all'),
  rows: fc.tuple(fc.nat(20), fc.nat(70), fc.nat(9)),
  dictionary: fc.option(fc.nat(2), { nil: undefined }),
  narrow: fc.boolean(),
  inArena: fc.boolean(),
})

const options = fc.record({
  pageVersion: fc.constantFrom(1 as const, 2 as const),
  pageRows: fc.constantFrom(1, 7, 50, 20_000),
  pageBytes: fc.constantFrom(10, 300, 1 << 20),
  dictionary: fc.boolean(),
  compression: fc.constantFrom('none' as const, 'zstd' as const),
})

/** Dictionaries that pieces share; the last has a null among its values. */
function dictionariesOf(kind: (typeof KINDS)[string]): Vector[] {
  return [5, 40, 9].map((entries, i) => codedColumn(kind, 1, 'required', entries, i === 2).dictionary!)
}

function dataOf(kind: (typeof KINDS)[string], dictionaries: Vector[], piece: Piece, region: Region): Data {
  const [before, within, after] = piece.rows
  const rows = before + within + after
  let data: Data
  if (piece.dictionary === undefined) data = plainColumn(kind, rows, piece.nulls)
  else {
    const dictionary = dictionaries[piece.dictionary]!
    const codes = codedColumn(kind, rows, piece.nulls, dictionary.length)
    data = makeData({
      type: new Dictionary(kind.type, piece.narrow ? new Int8() : new Int32()),
      length: rows,
      nullBitmap: codes.nullBitmap,
      data: piece.narrow ? Int8Array.from(codes.values as Int32Array) : codes.values,
      dictionary,
    })
  }
  if (piece.inArena) data = moved(region, data)
  return data.slice(before, within)
}

/** The same column with its buffers in the arena. */
function moved(region: Region, data: Data): Data {
  const move = <T extends ArrayBufferView | undefined>(view: T): T => {
    if (view === undefined || view.byteLength === 0) return view
    const address = region.alloc(view.byteLength)
    arena.u8(address, view.byteLength).set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
    const View = view.constructor as new (b: ArrayBufferLike, at: number, n: number) => NonNullable<T>
    return new View(arena.buffer, address, (view as unknown as { length: number }).length)
  }
  const buffers = [move(data.valueOffsets), move(data.values), move(data.nullBitmap), data.typeIds]
  return data.clone(
    data.type,
    data.offset,
    data.length,
    data.nullCount,
    buffers as unknown as Data['buffers'],
  )
}

test('columns in any pieces come back row by row', async () => {
  const input = fc.tuple(fc.constantFrom(...kinds), fc.array(piece, { maxLength: 6 }), options)
  await fc.assert(
    fc.asyncProperty(input, async ([name, pieces, writeOptions]) => {
      const kind = KINDS[name]!
      const region = arena.region()
      try {
        const dictionaries = dictionariesOf(kind)
        const columns = pieces.map(each => dataOf(kind, dictionaries, each, region))
        const batches = columns.map(column => makeBatch([fieldOf('c', kind, true)], [column], column.length))
        const used = arena.used
        const { bytes } = parquetBytes([fieldOf('c', kind, true)], [batches], writeOptions)
        assert.equal(arena.used, used)
        const rows = await parquetReadObjects({ file: bytes.buffer, compressors, utf8: false })
        const expected = columns.flatMap(column => [...makeVector(column)])
        assert.equal(rows.length, expected.length)
        for (const [i, row] of rows.entries())
          assert.deepEqual(plain(row['c']), plain(expected[i]), `row ${i}`)
      } finally {
        region.free()
      }
    }),
    { numRuns: cases(400) },
  )
})

function plain(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
}

test('only values that occur are written, each once, whatever dictionaries they come from', () => {
  const kind = KINDS['utf8']!
  const fields = [fieldOf('c', kind, true)]
  const shared = codedColumn(kind, 4000, 'some', 200)
  const other = codedColumn(kind, 4000, 'required', 150, true)
  const batch = (data: Data) => makeBatch(fields, [data], data.length)
  const batches = [shared.slice(0, 20), other.slice(0, 3000), shared.slice(100, 2000)].map(batch)
  const { metadata } = parquetBytes(fields, [batches], { compression: 'none', pageRows: 1e6 })
  const [chunk] = metadata.rowGroups[0]!.columns
  assert.deepEqual(chunk?.encodings, ['PLAIN', 'RLE_DICTIONARY', 'RLE'])
  const values = new Set(batches.flatMap(({ data }) => [...makeVector(data.children[0]!)]))
  values.delete(null)
  const bytes = [...values].reduce((sum: number, value) => sum + 4 + Buffer.byteLength(value as string), 0)
  const page = chunk!.dataPageOffset - chunk!.dictionaryPageOffset!
  assert.ok(page > bytes && page < bytes + 32, `a dictionary page of ${page} bytes for values of ${bytes}`)
})
