import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { Bool, Field, Int32, Null, Utf8, vectorFromArray } from 'apache-arrow'
import { makeBatch } from '../../src/core/batch.ts'
import type { SluiceError } from '../../src/index.ts'
import type { ParquetWriteOptions } from '../../src/parquet/write-options.ts'
import { dataOf, fieldOf, type Shape } from '../parquet/nested.ts'
import { parquetBytes } from '../parquet/write/support.ts'
import {
  chunksOf,
  type FileParts,
  type PageParts,
  pagesOf,
  putTogether,
  replacePages,
  takeApart,
  withFooter,
} from './layout.ts'
import { setInt, structAt, structsAt, type ThriftStruct, TYPE, uleb, writeStruct } from './thrift.ts'

/** A small file that claims to be large. */
export interface Bomb {
  name: string
  make(): Uint8Array
  /** What it may end in; `rows` where it is right about them, so that they may come as long as anyone wants them. */
  ends: readonly (SluiceError['code'] | 'rows')[]
}

/** Of any type, more than fits in the memory that the tests give. */
const MANY = 2 ** 30
/** With what pads a bitmap this does not fit in 31 bits. */
const MOST = 2 ** 31 - 1
const LARGE = 192 * 2 ** 20
const V1 = { pageVersion: 1, compression: 'none', crc: false } as const

const int = vectorFromArray([7], new Int32()).data[0]!
const text = vectorFromArray(['x'], new Utf8()).data[0]!
const list: Shape = { kind: 'list', nullable: true, element: { kind: 'int32', nullable: true } }

export const BOMBS: readonly Bomb[] = [
  ...(['zstd', 'gzip', 'brotli', 'snappy', 'lz4_raw'] as const).map(
    (compression): Bomb => ({
      name: `a ${compression} page that claims two gigabytes`,
      make: () =>
        forged('v', int, { ...V1, compression, dictionary: false }, ({ pages }) => {
          setInt(pages[0]!.header, 2, TYPE.i32, MOST)
        }),
      ends: ['corrupt', 'budget'],
    }),
  ),
  ...(['zstd', 'gzip', 'brotli'] as const).flatMap((compression): Bomb[] => [
    {
      name: `a ${compression} page that has far more than it claims`,
      make: () =>
        forged('v', int, { ...V1, compression, dictionary: false }, ({ pages }) =>
          setBody(pages[0]!, zeros(compression)),
        ),
      ends: ['corrupt'],
    },
    {
      name: `a ${compression} page that has all that it claims, for one value`,
      make: () =>
        forged('v', int, { ...V1, compression, dictionary: false }, ({ pages }) => {
          setBody(pages[0]!, zeros(compression))
          setInt(pages[0]!.header, 2, TYPE.i32, LARGE)
        }),
      ends: ['budget'],
    },
  ]),
  {
    name: 'one code, a billion times',
    make: () =>
      forged('v', int, { ...V1, encodings: { v: 'RLE_DICTIONARY' } }, ({ pages, claim }) => {
        setBody(pages[1]!, Uint8Array.of(0))
        claim(MANY)
      }),
    ends: ['budget'],
  },
  {
    name: 'one code of a text, a billion times',
    make: () =>
      forged('v', text, { ...V1, encodings: { v: 'RLE_DICTIONARY' } }, ({ pages, claim }) => {
        setBody(pages[1]!, Uint8Array.of(0))
        claim(MANY)
      }),
    ends: ['budget'],
  },
  {
    name: 'a billion nulls',
    make: () =>
      forged(
        'v',
        int,
        { ...V1, dictionary: false },
        ({ pages, claim }) => {
          setBody(pages[0]!, lengthFirst(run(MANY, 0)))
          claim(MANY)
        },
        true,
      ),
    ends: ['budget'],
  },
  {
    name: 'as many nulls as there can be',
    make: () =>
      forged(
        'v',
        int,
        { ...V1, dictionary: false },
        ({ pages, claim }) => {
          setBody(pages[0]!, lengthFirst(run(MOST, 0)))
          claim(MOST)
        },
        true,
      ),
    ends: ['budget'],
  },
  {
    name: 'a billion booleans',
    make: () =>
      forged(
        'v',
        vectorFromArray([true], new Bool()).data[0]!,
        { ...V1, encodings: { v: 'RLE' } },
        ({ pages, claim }) => {
          setBody(pages[0]!, lengthFirst(run(MANY, 1)))
          claim(MANY)
        },
      ),
    ends: ['budget'],
  },
  {
    name: 'a billion rows of nothing',
    make: () =>
      forged(
        'v',
        vectorFromArray([null], new Null()).data[0]!,
        V1,
        ({ pages, claim }) => {
          setBody(pages[0]!, lengthFirst(run(MANY, 0)))
          claim(MANY)
        },
        true,
      ),
    ends: ['budget', 'rows'],
  },
  {
    name: 'a dictionary of a billion values',
    make: () =>
      forged('v', int, { ...V1, encodings: { v: 'RLE_DICTIONARY' } }, ({ pages }) => {
        setInt(structAt(pages[0]!.header, 7)!, 1, TYPE.i32, MANY)
      }),
    ends: ['corrupt'],
  },
  ...[
    [128, 4],
    [MOST, 1],
    [1 << 30, 1 << 23],
  ].map(
    ([block, mini]): Bomb => ({
      name: `DELTA blocks of ${block} values in ${mini} parts, a billion values`,
      make: () =>
        forged('v', int, { ...V1, encodings: { v: 'DELTA_BINARY_PACKED' } }, ({ pages, claim }) => {
          const numbers = [block!, mini!, MANY, 0, 0].flatMap(number => uleb(BigInt(number)))
          setBody(pages[0]!, Uint8Array.from([...numbers, ...new Uint8Array(64)]))
          claim(MANY)
        }),
      ends: ['corrupt', 'budget'],
    }),
  ),
  {
    name: 'a list of a billion elements',
    make: () =>
      forgedList(({ pages, claim }) => {
        const levels = (value: number) => lengthFirst(run(MANY, value))
        setBody(
          pages[0]!,
          Uint8Array.from([...lengthFirst([...run(1, 0), ...run(MANY - 1, 1)]), ...levels(2)]),
        )
        claim(MANY, 1)
      }),
    ends: ['budget', 'corrupt'],
  },
  {
    name: 'a billion empty lists',
    make: () =>
      forgedList(({ pages, claim }) => {
        setBody(pages[0]!, Uint8Array.from([...lengthFirst(run(MANY, 0)), ...lengthFirst(run(MANY, 1))]))
        claim(MANY)
      }),
    ends: ['budget'],
  },
  {
    name: 'rows without columns',
    make: () => {
      const { body, footer } = takeApart(forged('v', int, V1, ({ claim }) => claim(2 ** 50)))
      setInt(structsAt(footer, 2)[0]!, 5, TYPE.i32, 0)
      const [, schema] = [
        footer.fields.find(({ id }) => id === 2)!,
        footer.fields.find(({ id }) => id === 2)!,
      ]
      if (schema.node.kind === 'list') schema.node.items.length = 1
      const columns = structsAt(footer, 4)[0]!.fields.find(({ id }) => id === 1)!
      if (columns.node.kind === 'list') columns.node.items.length = 0
      return putTogether({ body, footer })
    },
    ends: ['rows', 'corrupt', 'unsupported', 'schema'],
  },
  ...[
    ['schema elements', 2],
    ['row groups', 4],
    ['key-value pairs', 5],
  ].map(
    ([what, id]): Bomb => ({
      name: `a footer of two million empty ${what}`,
      make: () => {
        const { body, footer } = takeApart(forged('v', int, V1, () => {}))
        const fields = footer.fields.filter(field => field.id !== id)
        const bytes = new Uint8Array(2_000_000)
        const node = {
          kind: 'raw' as const,
          type: TYPE.list,
          bytes: Uint8Array.from([0xfc, ...uleb(BigInt(bytes.length))]),
        }
        const at = fields.filter(field => field.id < Number(id)).length
        const head = writeStruct({
          kind: 'struct',
          fields: [...fields.slice(0, at), { id: Number(id), node }],
        }).slice(0, -1)
        return withFooter(body, new Uint8Array(Buffer.concat([head, bytes, Uint8Array.of(0)])))
      },
      ends: ['corrupt', 'budget'],
    }),
  ),
]

interface Forging {
  pages: PageParts[]
  footer: ThriftStruct
  /** Has pages, chunk and row group claim so many values; rows, unless they are as many. */
  claim(values: number, rows?: number): void
}

/** A file of one column of one value, changed. */
function forged(
  name: string,
  data: Parameters<typeof makeBatch>[1][number],
  options: ParquetWriteOptions,
  change: (forging: Forging) => void,
  nullable = false,
): Uint8Array {
  const field = new Field(name, data.type, nullable)
  return changed(parquetBytes([field], [[makeBatch([field], [data], 1)]], options).bytes, change)
}

function forgedList(change: (forging: Forging) => void): Uint8Array {
  const field = fieldOf('v', list)
  const batch = makeBatch([field], [dataOf(list, [[1]])], 1)
  return changed(parquetBytes([field], [[batch]], { ...V1, dictionary: false }).bytes, change)
}

function changed(file: Uint8Array, change: (forging: Forging) => void): Uint8Array {
  const parts: FileParts = takeApart(file)
  const { footer } = parts
  const [chunk] = chunksOf(footer)
  const pages = pagesOf(parts.body, chunk!.meta)
  const claim = (values: number, rows = values): void => {
    const [group] = structsAt(footer, 4)
    setInt(structAt(pages.at(-1)!.header, 5)!, 1, TYPE.i32, Math.min(values, MOST))
    setInt(chunk!.meta, 5, TYPE.i64, values)
    setInt(group!, 3, TYPE.i64, rows)
  }
  change({ pages, footer, claim })
  // The page index would contradict the new number of rows; it is not needed.
  for (const field of [4, 5, 6, 7]) setInt(chunk!.chunk, field, TYPE.i64, undefined)
  replacePages(parts, chunk!, pages)
  return putTogether(parts)
}

function setBody(page: PageParts, body: Uint8Array): void {
  page.body = body
  setInt(page.header, 2, TYPE.i32, body.length)
  setInt(page.header, 3, TYPE.i32, body.length)
}

/** An RLE run of a value of one byte at most. */
function run(length: number, value: number): number[] {
  return [...uleb(BigInt(length) * 2n), value]
}

function lengthFirst(bytes: readonly number[]): Uint8Array {
  return Uint8Array.from([...new Uint8Array(Uint32Array.of(bytes.length).buffer), ...bytes])
}

function zeros(compression: 'zstd' | 'gzip' | 'brotli'): Uint8Array {
  const plain = Buffer.alloc(LARGE)
  if (compression === 'zstd') return new Uint8Array(zstdCompressSync(plain))
  if (compression === 'gzip') return new Uint8Array(gzipSync(plain))
  return new Uint8Array(brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }))
}
