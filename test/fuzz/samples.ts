import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Data, Field, Int32, makeData } from 'apache-arrow'
import fc from 'fast-check'
import { makeBatch } from '../../src/core/batch.ts'
import { isSluiceError } from '../../src/core/errors.ts'
import type { ColumnEncoding, Compression, ParquetWriteOptions } from '../../src/parquet/write-options.ts'
import { dataOf, nestedColumn, fieldOf as nestedField } from '../parquet/nested.ts'
import { codedColumn, fieldOf, KINDS, type Nulls, plainColumn } from '../parquet/write/columns.ts'
import { parquetBytes } from '../parquet/write/support.ts'
import { corpus, noCorpus } from '../support/corpus.ts'
import { Random } from './random.ts'

/** A sound file that cases damage. */
export interface Sample {
  name: string
  file: Uint8Array
  /** Written by us, with the columns `id` (a number from 0 a row) and `key` (a few texts). */
  own: boolean
}

const OWN = 160
const COMPRESSIONS: readonly Compression[] = [
  'none',
  'none',
  'none',
  'zstd',
  'snappy',
  'gzip',
  'lz4_raw',
  'brotli',
]
const ENCODINGS: readonly ColumnEncoding[] = [
  'PLAIN',
  'RLE',
  'RLE_DICTIONARY',
  'DELTA_BINARY_PACKED',
  'DELTA_LENGTH_BYTE_ARRAY',
  'DELTA_BYTE_ARRAY',
  'BYTE_STREAM_SPLIT',
]
const MOST_BYTES = 20_000

/** Small files of every type, encoding, codec and page version, flat and nested, and those of other writers. */
export function samples(): Sample[] {
  const own = Array.from({ length: OWN }, (_, i) => ownSample(i))
  if (noCorpus) return own
  return [...own, ...['data', 'bad_data'].flatMap(folder => foreign(join(corpus, 'parquet-testing', folder)))]
}

function foreign(folder: string): Sample[] {
  return readdirSync(folder)
    .filter(name => name.endsWith('.parquet') && statSync(join(folder, name)).size < MOST_BYTES)
    .sort()
    .map(name => ({ name, file: new Uint8Array(readFileSync(join(folder, name))), own: false }))
}

function ownSample(number: number): Sample {
  const random = new Random(number, 77)
  const [nested] = fc.sample(nestedColumn, { seed: number, numRuns: 1 })
  const rows = random.chance(0.6) ? Math.max(1, nested!.rows.length) : random.pick([1, 40, 300])
  // One key for all rows lets row groups pass through into a partition.
  const key = KINDS[random.pick(['few', 'one'])]!
  const fields: Field[] = [new Field('id', new Int32(), false), fieldOf('key', key, random.chance(0.5))]
  const columns: Data[] = [
    makeData({ type: new Int32(), length: rows, data: Int32Array.from({ length: rows }, (_, i) => i) }),
    plainColumn(key, rows, fields[1]!.nullable ? 'runs' : 'required'),
  ]
  for (let i = 0; i < 3; i++) {
    const name = random.pick(Object.keys(KINDS))
    const kind = KINDS[name]!
    const nulls: Nulls = name === 'null' ? 'all' : random.pick(['required', 'some', 'runs', 'all'])
    const coded = name !== 'null' && random.chance(0.4)
    fields.push(fieldOf(`${name} ${i}`, kind, nulls !== 'required'))
    columns.push(coded ? codedColumn(kind, rows, nulls, 6, nulls === 'some') : plainColumn(kind, rows, nulls))
  }
  if (rows === nested!.rows.length) {
    fields.push(nestedField('nested', nested!.shape))
    columns.push(dataOf(nested!.shape, nested!.rows))
  }
  const encodings = Object.fromEntries(
    fields.filter(() => random.chance(0.5)).map(({ name }) => [name, random.pick(ENCODINGS)]),
  )
  const batch = makeBatch(fields, columns, rows)
  const cut = random.below(rows + 1)
  const groups = random.chance(0.5) ? [[batch]] : [[batch.slice(0, cut)], [batch.slice(cut, rows)]]
  const options: ParquetWriteOptions = {
    compression: random.pick(COMPRESSIONS),
    pageVersion: random.pick([1, 2]),
    pageRows: random.pick([3, 16, 20_000]),
    dictionary: random.chance(0.6),
    bloomFilters: random.chance(0.7),
    crc: random.chance(0.2),
  }
  const write = (encodings: Record<string, ColumnEncoding>) =>
    parquetBytes(fields, groups, { ...options, encodings })
  const name = `own ${number}: ${fields.map(({ name }) => name).join(', ')}; ${JSON.stringify(options)}`
  return { name, file: writeFitting(encodings, write), own: true }
}

/** Without the encodings that their columns cannot have. */
function writeFitting(
  encodings: Record<string, ColumnEncoding>,
  write: (encodings: Record<string, ColumnEncoding>) => { bytes: Uint8Array },
): Uint8Array {
  try {
    return write(encodings).bytes
  } catch (error) {
    if (!isSluiceError(error) || error.column === undefined || !(error.column in encodings)) throw error
    const { [error.column]: _, ...fitting } = encodings
    return writeFitting(fitting, write)
  }
}
