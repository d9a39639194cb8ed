import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import zlib from 'node:zlib'
import { Field, makeVector, Table, tableToIPC, Utf8, type Vector, vectorFromArray } from 'apache-arrow'
import fc from 'fast-check'
import { pageCompressor } from '../../../src/parquet/compression/page-compressor.ts'
import { isFrameOf, storedFrame } from '../../../src/parquet/compression/zstd-frame.ts'
import { compressBound } from '../../../src/parquet/compression/zstd-native.ts'
import type { ParquetWriteOptions } from '../../../src/parquet/write-options.ts'
import { cases } from '../../support/cases.ts'
import { noPython, python } from '../../support/python.ts'
import { tempFolder } from '../../support/temp.ts'
import { arena, batchOf, parquetBytes } from './support.ts'

const noise = (length: number, seed = 1): Uint8Array => {
  let x = seed | 1
  return Uint8Array.from({ length }, () => (x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 24)
}
const text = (length: number): Uint8Array => Buffer.alloc(length, 'carrier=AA origin=JFK destination=LAX ')
/** A random walk in steps of 32 bits: level 3 finds the bytes that neighbours share, level 1 hardly does. */
const walk = (count: number, seed = 1): Float64Array => {
  const steps = new Uint32Array(noise(4 * count, seed).buffer)
  let x = 100
  return Float64Array.from(steps, step => {
    x += step / 2 ** 32 - 0.5
    return x
  })
}
const page = fc.oneof(
  fc.tuple(fc.nat(20_000), fc.nat()).map(([length, seed]) => noise(length, seed)),
  fc.nat(20_000).map(text),
  fc.tuple(fc.nat(3000), fc.nat()).map(([count, seed]) => bytesOf(walk(count, seed))),
  fc.uint8Array({ maxLength: 40 }),
)

test('by default pages come back, hardly grow, and are the same bytes each time', () => {
  fc.assert(
    fc.property(fc.array(page, { maxLength: 30 }), pages => {
      const packed = chunk(undefined, pages)
      for (const [i, input] of pages.entries()) {
        assert.ok(Buffer.from(input).equals(zlib.zstdDecompressSync(packed[i]!)))
        assert.ok(packed[i]!.length <= input.length + 20)
      }
      assert.deepEqual(chunk(undefined, pages), packed)
    }),
    { numRuns: cases(50) },
  )
})

test('a page that does not shrink by 8 % is stored, and seven behind it untried', () => {
  const pages = [noise(5000), ...Array.from({ length: 9 }, () => text(5000))]
  const sizes = chunk(undefined, pages).map(packed => packed.length)
  assert.deepEqual(
    sizes.map(size => size > 5000),
    [...Array.from({ length: 8 }, () => true), false, false],
  )
  // 90 % noise is worth it, 95 % is not.
  for (const [share, isStored] of [
    [0.9, false],
    [0.95, true],
  ] as const) {
    const mixed = new Uint8Array(10_000)
    mixed.set(noise(10_000 * share))
    assert.equal(chunk(undefined, [mixed])[0]!.length > 10_000, isStored)
  }
})

test('the fourth page that shrinks tells the level of those behind it', () => {
  const walks = Array.from({ length: 8 }, (_, i) => bytesOf(walk(5000, i)))
  for (const [pages, later] of [
    [walks, 3],
    [walks.map(({ length }) => text(length)), 1],
  ] as const) {
    assert.deepEqual(
      chunk(undefined, pages),
      pages.map((input, i) => publicly(input, i < 4 ? 1 : later)),
    )
  }
})

test('a level that is named is used for every page', () => {
  const pages = [noise(3000), noise(3000, 2), text(3000), bytesOf(walk(2000)), new Uint8Array()]
  for (const level of [1, 3, 9]) {
    assert.deepEqual(
      chunk(level, pages),
      pages.map(input => publicly(input, level)),
    )
  }
})

test('stored pages are frames that zstd reads', () => {
  const sizes = [0, 1, 4095, 131_071, 131_072, 131_073, 262_144, 1_000_000]
  for (const size of sizes) {
    const input = noise(size)
    const region = arena.region()
    const frame = new Uint8Array(storedFrame(input, region))
    region.free()
    assert.ok(zlib.zstdDecompressSync(frame).equals(input), `${size} bytes`)
    assert.ok(isFrameOf(frame, size))
    assert.ok(frame.length < size + 16 + size / 40_000)
  }
})

const ROWS = 50_000
const noises = new Float64Array(noise(8 * ROWS).buffer).map((value, i) => (Number.isNaN(value) ? i : value))
/** The columns by what becomes of their pages. */
const vectors = {
  stored: makeVector(noises),
  fast: vectorFromArray(
    Array.from({ length: ROWS }, (_, i) => `origin=JFK destination=LAX ${Math.imul(i, 0x9e3779b1)}`),
    new Utf8(),
  ),
  thorough: makeVector(walk(ROWS)),
}
const FILES: readonly ParquetWriteOptions[] = [
  { pageVersion: 1 },
  { pageVersion: 2 },
  { pageVersion: 1, pageRows: 5000, dictionary: false },
]

test('PyArrow, Polars and DuckDB read pages of all kinds', { skip: noPython }, async t => {
  const folder = tempFolder(t)
  const fields = Object.entries(vectors).map(([name, { type }]) => new Field(name, type, true))
  const batch = batchOf(fields, Object.values<Vector>(vectors))
  const ipc = join(folder, 'wanted.arrows')
  await writeFile(ipc, tableToIPC(new Table([batch]), 'stream'))
  const files = []
  for (const [i, options] of FILES.entries()) {
    const { bytes, metadata } = parquetBytes(fields, [[batch]], options)
    const [stored, fast, thorough] = metadata.rowGroups[0]!.columns.map(
      chunk => chunk.totalCompressedSize / chunk.totalUncompressedSize,
    )
    assert.ok(
      stored! > 0.99 && stored! < 1.001 && fast! < 0.5 && thorough! < 0.8,
      `${stored} ${fast} ${thorough}`,
    )
    files.push(join(folder, `${i}.parquet`))
    await writeFile(files[i]!, bytes)
  }
  const differing = await python(
    `
    import duckdb, polars as pl, pyarrow as pa, pyarrow.parquet as pq
    want = pa.ipc.open_stream(input['ipc']).read_all()
    result = []
    for path in input['files']:
        readings = {
            'PyArrow': pq.read_table(path, page_checksum_verification=True),
            'Polars': pl.read_parquet(path).to_arrow(),
            'DuckDB': duckdb.sql(f"SELECT * FROM read_parquet('{path}')").to_arrow_table(),
        }
        result += [[engine, path] for engine, got in readings.items() if not got.cast(want.schema).equals(want)]
    `,
    { ipc, files },
  )
  assert.deepEqual(differing, [])
})

function bytesOf({ buffer }: Float64Array): Uint8Array {
  return new Uint8Array(buffer)
}

/** The pages of a chunk as the writer compresses them, out of the arena. */
function chunk(level: number | undefined, pages: readonly Uint8Array[]): Buffer[] {
  const compress = pageCompressor('ZSTD', level)
  return pages.map(input => {
    const region = arena.region()
    const address = region.alloc(input.length)
    arena.u8(address, input.length).set(input)
    const packed = Buffer.from(compress(arena.u8(address, input.length), region))
    region.free()
    return packed
  })
}

function publicly(input: Uint8Array, level: number): Buffer {
  return zlib.zstdCompressSync(input, {
    params: { [zlib.constants.ZSTD_c_compressionLevel]: level },
    pledgedSrcSize: input.length,
    chunkSize: compressBound(input.length),
  })
}
