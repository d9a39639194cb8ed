import {
  brotliCompressSync,
  brotliDecompressSync,
  gunzipSync,
  gzipSync,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib'
import { concat } from '../support/bytes.ts'
import {
  appendBloom,
  appendIndex,
  bloomOf,
  chunksOf,
  type FileParts,
  indexOf,
  type PageParts,
  pagesOf,
  putTogether,
  replacePages,
  takeApart,
  withFooter,
} from './layout.ts'
import type { Random } from './random.ts'
import type { Sample } from './samples.ts'
import {
  intAt,
  nodesOf,
  setInt,
  structAt,
  type ThriftNode,
  type ThriftStruct,
  TYPE,
  uleb,
  writeStruct,
} from './thrift.ts'

/** A way to damage a file; undefined where the file has not what it damages. */
type Mutation = (file: Uint8Array, random: Random) => Uint8Array | undefined

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  bytes: (file, random) => overwritten(file, random, 0, file.length),
  'footer bytes': (file, random) => overwritten(file, random, takeApart(file).body.length, file.length - 8),
  'data bytes': (file, random) => overwritten(file, random, 4, takeApart(file).body.length),
  truncation: (file, random) => file.slice(0, random.below(file.length)),
  splice: spliced,
  'footer length': (file, random) => {
    const { body, footer } = takeApart(file)
    const bytes = writeStruct(footer)
    return withFooter(
      body,
      bytes,
      Number(random.pick(INTEGERS) & 0xffffffffn) || random.below(2 * file.length),
    )
  },
  'footer fields': (file, random) => {
    const parts = takeApart(file)
    mutateFields(parts.footer, random)
    return putTogether(parts)
  },
  'footer nesting': (file, random) => {
    const parts = takeApart(file)
    const { parent, index } = random.pick(nodesOf(parts.footer))
    const depth = random.pick([30, 33, 1000, 20_000])
    const bytes = new Uint8Array(depth).fill(random.pick([0x1c, 0x19, 0x1b]))
    replace(parent, index, { kind: 'raw', type: TYPE.struct, bytes })
    return putTogether(parts)
  },
  'page fields': pageMutation((pages, random) => mutateFields(random.pick(pages).header, random)),
  'page order': pageMutation((pages, random) => {
    const [page] = pages.splice(random.below(pages.length), 1)
    if (random.chance(0.7)) pages.splice(random.below(pages.length + 1), 0, page!)
    if (random.chance(0.4)) pages.push(page!)
  }),
  'page body': pageMutation((pages, random) => {
    const page = random.pick(pages)
    page.body = resized(page, forged(page.body, random))
  }),
  'plain page body': pageMutation((pages, random, codec) => {
    const page = random.pick(pages)
    const plain = decompressed(page, codec)
    if (plain === undefined) return
    const body = forged(plain, random)
    setInt(page.header, 2, TYPE.i32, body.length)
    page.body = resized(page, compressed(page, body, codec))
  }),
  'column index': indexMutation('column'),
  'offset index': indexMutation('offset'),
  'bloom filter': (file, random) => {
    const parts = takeApart(file)
    const filters = chunksOf(parts.footer).flatMap(({ meta }) => {
      const bloom = bloomOf(parts.body, meta)
      return bloom === undefined ? [] : [{ meta, ...bloom }]
    })
    if (filters.length === 0) return undefined
    const { meta, header, bits } = random.pick(filters)
    mutateFields(header, random)
    appendBloom(parts, meta, concat([writeStruct(header), bits]), random.chance(0.7))
    return putTogether(parts)
  },
}

/** Damages a file in one way, sometimes in several; gives the names of what was done. */
export function mutate({ file: sound, own }: Sample, random: Random): { file: Uint8Array; how: string } {
  const how: string[] = []
  let file = sound
  do {
    const name = random.pick(Object.keys(MUTATIONS))
    try {
      const mutated = MUTATIONS[name]!(file, random)
      if (mutated === undefined) continue
      file = mutated
      how.push(name)
    } catch (error) {
      // What is damaged already need not come apart any more.
      if (own && how.length === 0) throw error
    }
  } while (how.length === 0 || random.chance(0.2))
  return { file, how: how.join(' + ') }
}

/** Numbers that sizes, counts and offsets are least prepared for. */
const INTEGERS: readonly bigint[] = [
  ...[0n, 1n, 2n, 7n, 8n, 31n, 32n, 33n, 64n, 127n, 128n, 255n, 256n, 32_767n, 65_536n],
  ...[24n, 28n, 30n, 31n, 32n, 33n, 40n, 52n, 53n, 62n, 63n].flatMap(bit => [2n ** bit, 2n ** bit - 1n]),
  ...[-1n, -2n, -128n, -(2n ** 31n), -(2n ** 31n) - 1n, -(2n ** 53n), -(2n ** 63n), 2n ** 64n, 2n ** 69n],
]

function overwritten(file: Uint8Array, random: Random, start: number, end: number): Uint8Array {
  const bytes = file.slice()
  for (let edits = 1 + random.below(4); edits > 0; edits--) {
    const at = start + random.below(Math.max(1, end - start))
    bytes[at]! = random.chance(0.5)
      ? bytes[at]! ^ (1 << random.below(8))
      : random.pick([0, 1, 127, 128, 255, random.below(256)])
  }
  return bytes
}

/** Some bytes left out, doubled, moved or put in. */
function spliced(file: Uint8Array, random: Random): Uint8Array {
  const piece = (): Uint8Array => {
    const start = random.below(file.length)
    return file.subarray(start, start + 1 + random.below(64))
  }
  const at = random.below(file.length)
  const gone = random.chance(0.5) ? 1 + random.below(64) : 0
  const put = random.chance(0.5) ? piece() : random.bytes(gone === 0 ? 1 + random.below(16) : 0)
  return concat([file.subarray(0, at), put, file.subarray(at + gone)])
}

/** Changes one field of a struct, or a few. */
function mutateFields(struct: ThriftStruct, random: Random): void {
  do {
    const nodes = nodesOf(struct)
    if (nodes.length === 0) return
    const { node, parent, index } = random.pick(nodes)
    if (random.chance(0.12)) removeOrDouble(parent, index, random)
    else
      replace(
        parent,
        index,
        changed(
          node,
          nodes.map(({ node }) => node),
          random,
        ),
      )
  } while (random.chance(0.25))
}

function removeOrDouble(
  parent: ReturnType<typeof nodesOf>[number]['parent'],
  index: number,
  random: Random,
): void {
  const siblings: unknown[] = parent.kind === 'struct' ? parent.fields : parent.items
  if (random.chance(0.6)) siblings.splice(index, 1)
  else siblings.splice(index, 0, siblings[index])
}

function replace(
  parent: ReturnType<typeof nodesOf>[number]['parent'],
  index: number,
  node: ThriftNode,
): void {
  if (parent.kind === 'struct') parent.fields[index] = { ...parent.fields[index]!, node }
  else parent.items[index] = node
}

function changed(node: ThriftNode, all: readonly ThriftNode[], random: Random): ThriftNode {
  switch (node.kind) {
    case 'bool':
      return { kind: 'bool', value: !node.value }
    case 'int': {
      const others = all.filter(other => other.kind === 'int').map(({ value }) => value)
      const { value } = node
      const near = [value + 1n, value - 1n, value * 2n, value / 2n, -value, value + BigInt(random.below(100))]
      const next = random.pick([
        random.pick(near),
        random.pick(near),
        random.pick(INTEGERS),
        random.pick(others),
        BigInt(random.below(20)),
      ])
      return { ...node, value: next }
    }
    case 'binary': {
      const { bytes } = node
      if (random.chance(0.3))
        return { ...node, claimed: Number(random.pick(INTEGERS.filter(value => value >= 0n))) }
      return {
        kind: 'binary',
        bytes: random.pick([
          bytes.slice(1),
          new Uint8Array(0),
          random.bytes(9),
          new Uint8Array(70_000),
          concat([bytes, [0xff]]),
        ]),
      }
    }
    case 'list':
      if (random.chance(0.5))
        return { ...node, claimed: Number(random.pick(INTEGERS.filter(value => value >= 0n))) }
      return {
        ...node,
        items: node.items.flatMap(item =>
          random.chance(0.3) ? [] : random.chance(0.2) ? [item, item] : [item],
        ),
      }
    case 'struct':
      return random.pick<ThriftNode>([
        { kind: 'struct', fields: [] },
        { kind: 'int', type: TYPE.i64, value: 1n },
        { kind: 'raw', type: random.below(16), bytes: random.bytes(5) },
      ])
    default:
      return { ...node, bytes: random.bytes(node.bytes.length) }
  }
}

function pageMutation(change: (pages: PageParts[], random: Random, codec: number) => void): Mutation {
  return (file, random) => {
    const parts = takeApart(file)
    const chunks = chunksOf(parts.footer)
    const chosen = random.pick(chunks)
    const pages = pagesOf(parts.body, chosen.meta)
    if (pages.length === 0) return undefined
    change(pages, random, intAt(chosen.meta, 4)!)
    replacePages(parts, chosen, pages)
    return putTogether(parts)
  }
}

function indexMutation(kind: 'column' | 'offset'): Mutation {
  return (file, random) => {
    const parts = takeApart(file)
    const found = chunksOf(parts.footer).flatMap(({ chunk }) => {
      const index = indexOf(parts.body, chunk, kind)
      return index === undefined ? [] : [{ chunk, index }]
    })
    if (found.length === 0) return undefined
    const { chunk, index } = random.pick(found)
    mutateFields(index, random)
    appendIndex(parts, chunk, kind, writeStruct(index))
    return putTogether(parts satisfies FileParts)
  }
}

/** Puts numbers of any size where levels, runs and blocks say how long they are: mostly at the front. */
function forged(body: Uint8Array, random: Random): Uint8Array {
  const bytes = body.slice()
  if (bytes.length === 0) return random.bytes(1 + random.below(8))
  const at = random.chance(0.6) ? random.below(Math.min(bytes.length, 12)) : random.below(bytes.length)
  const number = random.pick(INTEGERS)
  const wide = new Uint8Array(8)
  new DataView(wide.buffer).setBigInt64(0, BigInt.asIntN(64, number), true)
  const put = random.pick<Uint8Array | readonly number[]>([
    uleb(BigInt.asUintN(64, number)),
    wide.subarray(0, 4),
    wide,
    [random.below(256)],
    [0xff],
    random.bytes(1 + random.below(4)),
  ])
  if (random.chance(0.4))
    return concat([bytes.subarray(0, at), put, bytes.subarray(at + (random.chance(0.5) ? 1 : 0))])
  bytes.set(Uint8Array.from(put).subarray(0, bytes.length - at), at)
  return random.chance(0.1) ? bytes.subarray(0, random.below(bytes.length)) : bytes
}

/** Has a page's header say how long its bytes are, without their checksum. */
function resized({ header }: PageParts, body: Uint8Array): Uint8Array {
  setInt(header, 3, TYPE.i32, body.length)
  setInt(header, 4, TYPE.i32, undefined)
  return body
}

const GZIP = 2
const BROTLI = 4
const ZSTD = 6

/** Larger pages are there in other projects' files; they are left alone. */
const SMALL = { maxOutputLength: 2 ** 20 }

/** The plain bytes of a page, with levels; undefined for codecs that Node does not have. */
function decompressed(page: PageParts, codec: number): Uint8Array | undefined {
  const levels = levelBytes(page)
  const head = page.body.subarray(0, levels)
  const values = page.body.subarray(levels)
  if (codec === 0 || !isCompressed(page)) return page.body
  if (codec === GZIP) return concat([head, gunzipSync(values, SMALL)])
  if (codec === BROTLI) return concat([head, brotliDecompressSync(values, SMALL)])
  if (codec === ZSTD) return concat([head, zstdDecompressSync(values, SMALL)])
  return undefined
}

function compressed(page: PageParts, plain: Uint8Array, codec: number): Uint8Array {
  const levels = levelBytes(page)
  const head = plain.subarray(0, levels)
  const values = plain.subarray(levels)
  if (codec === 0 || !isCompressed(page)) return plain
  const compress = codec === GZIP ? gzipSync : codec === BROTLI ? brotliCompressSync : zstdCompressSync
  return concat([head, compress(values)])
}

/** Bytes before the values of a page of version 2. */
function levelBytes({ header }: PageParts): number {
  const v2 = structAt(header, 8)
  return v2 === undefined ? 0 : intAt(v2, 5)! + intAt(v2, 6)!
}

function isCompressed({ header }: PageParts): boolean {
  const flag = structAt(header, 8)?.fields.find(({ id }) => id === 7)?.node
  return flag?.kind !== 'bool' || flag.value
}
