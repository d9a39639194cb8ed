import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Field, Int32, Utf8, vectorFromArray } from 'apache-arrow'
import { type ErrorCode, isSluiceError, openStore, source } from '../../../src/index.ts'
import { chunksOf, pagesOf, putTogether, replacePages, takeApart } from '../../fuzz/layout.ts'
import { setInt, structAt, structsAt, type ThriftStruct, TYPE } from '../../fuzz/thrift.ts'
import { batchOf, parquetBytes } from '../write/support.ts'

const fields = [new Field('id', new Int32(), false), new Field('word', new Utf8(), true)]
const batch = batchOf(fields, [
  vectorFromArray([1, 2, 3], new Int32()),
  vectorFromArray(['a', null, 'b'], new Utf8()),
])
const sound = parquetBytes(fields, [[batch], [batch]], { pageIndex: false }).bytes

/** The column `word` of the second row group, and what its errors have to name. */
const PLACE = { file: 'memory:/odd.parquet', rowGroup: 1, column: 'word' }
const CHUNK = 3

type Change = (chunk: ThriftStruct, meta: ThriftStruct) => void

/** A file whose footer says something else of the chunk. */
function withFooter(change: Change): Uint8Array {
  const parts = takeApart(sound)
  const { chunk, meta } = chunksOf(parts.footer)[CHUNK]!
  change(chunk, meta)
  return putTogether(parts)
}

/** A file in which the header of the chunk's last page says something else. */
function withPage(change: (header: ThriftStruct) => void): Uint8Array {
  const parts = takeApart(sound)
  const chosen = chunksOf(parts.footer)[CHUNK]!
  const pages = pagesOf(parts.body, chosen.meta)
  change(pages.at(-1)!.header)
  replacePages(parts, chosen, pages)
  return putTogether(parts)
}

function withMagic(magic: string): Uint8Array {
  const file = sound.slice()
  file.set(new TextEncoder().encode(magic), file.length - 4)
  return file
}

const CASES: readonly [
  what: string,
  file: Uint8Array,
  code: ErrorCode,
  message: RegExp,
  place: Partial<typeof PLACE>,
][] = [
  ['an encrypted footer', withMagic('PARE'), 'unsupported', /encrypted/, { file: PLACE.file }],
  [
    'a column with its own key',
    withFooter(chunk => void chunk.fields.push({ id: 8, node: { kind: 'struct', fields: [] } })),
    'unsupported',
    /encrypted/,
    PLACE,
  ],
  [
    'a column whose metadata is encrypted',
    withFooter(chunk => {
      chunk.fields = chunk.fields.filter(({ id }) => id !== 3)
      chunk.fields.push({ id: 9, node: { kind: 'binary', bytes: Uint8Array.of(1, 2, 3) } })
    }),
    'unsupported',
    /encrypted/,
    PLACE,
  ],
  [
    'an unknown codec',
    withFooter((_, meta) => setInt(meta, 4, TYPE.i32, 42)),
    'unsupported',
    /codec.*42/,
    PLACE,
  ],
  ['LZO', withFooter((_, meta) => setInt(meta, 4, TYPE.i32, 3)), 'unsupported', /LZO/, PLACE],
  [
    'an unknown physical type',
    withFooter((_, meta) => setInt(meta, 1, TYPE.i32, 42)),
    'corrupt',
    /physical type.*42/,
    PLACE,
  ],
  [
    'an unknown encoding',
    withPage(header => setInt(structAt(header, 5)!, 2, TYPE.i32, 42)),
    'unsupported',
    /encoding 42/,
    PLACE,
  ],
  [
    'an encoding that the type has not',
    withPage(header => setInt(structAt(header, 5)!, 2, TYPE.i32, 9)),
    'unsupported',
    /BYTE_STREAM_SPLIT/,
    PLACE,
  ],
  [
    'an unknown page type',
    withPage(header => setInt(header, 1, TYPE.i32, 42)),
    'unsupported',
    /page type 42/,
    PLACE,
  ],
]

for (const [what, file, code, message, place] of CASES) {
  test(`${what} is named, with its place`, async () => {
    const store = await openStore('memory:')
    await store.put('odd.parquet', file)
    await assert.rejects(source(store).collect(), error => {
      assert.ok(isSluiceError(error), String(error))
      assert.equal(error.code, code)
      assert.match(error.message, message)
      const { file, rowGroup, column } = error
      assert.deepEqual({ file, rowGroup, column }, { rowGroup: undefined, column: undefined, ...place })
      return true
    })
  })
}

test('a logical type that is not known leaves the physical one', async () => {
  const parts = takeApart(sound)
  const word = structsAt(parts.footer, 2)[2]!
  word.fields = word.fields.filter(({ id }) => id !== 6 && id !== 10)
  const unknown = { id: 42, node: { kind: 'struct' as const, fields: [] } }
  word.fields.push({ id: 10, node: { kind: 'struct', fields: [unknown] } })
  const store = await openStore('memory:')
  await store.put('odd.parquet', putTogether(parts))
  const table = await source(store).collect()
  assert.equal(String(table.schema.fields[1]!.type), 'Binary')
  const texts = [...table.getChild('word')!].map(
    value => value && new TextDecoder().decode(value as Uint8Array),
  )
  assert.deepEqual(texts, ['a', null, 'b', 'a', null, 'b'])
})
