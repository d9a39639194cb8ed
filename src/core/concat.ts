import { Data, DataType, type RecordBatch, Vector } from 'apache-arrow'
import type { Region } from './arena.ts'
import { dictionaryData, makeBatch } from './batch.ts'
import { SluiceError } from './errors.ts'
import { alignedValidity, materialise, type TypedArrayConstructor } from './take.ts'

/**
 * Several batches of one schema as one, in `region`. Where all of them are dictionary-encoded, dictionaries
 * are put one after the other and codes shifted (values may then occur twice in the dictionary); where only
 * some are, values are materialised.
 */
export function concatBatches(batches: readonly RecordBatch[], region: Region): RecordBatch {
  const first = batches[0]!
  if (batches.length === 1) return first
  const columns = first.data.children.map((_, index) =>
    concatColumns(
      batches.map(batch => batch.data.children[index]!),
      region,
    ),
  )
  const rows = batches.reduce((sum, batch) => sum + batch.numRows, 0)
  return makeBatch(first.schema.fields, columns, rows)
}

/** The same for one column. */
export function concatColumns(columns: readonly Data[], region: Region): Data {
  const first = columns[0]!
  if (columns.length === 1) return first
  if (columns.every(column => DataType.isDictionary(column.type))) return concatDictionaries(columns, region)
  const parts = columns.map(column => materialise(column, region))
  const { type } = parts[0]!
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const nullCount = parts.reduce((sum, part) => sum + part.nullCount, 0)
  if (DataType.isNull(type)) return new Data(type, 0, length, length)
  const validity = concatValidity(parts, length, nullCount, region)
  if (DataType.isStruct(type)) {
    const children = type.children.map((_, index) =>
      concatColumns(
        parts.map(part => part.children[index]!),
        region,
      ),
    )
    return new Data(type, 0, length, nullCount, { 2: validity } as never, children)
  }
  if (DataType.isFixedSizeList(type)) {
    const elements = parts.map(part => part.children[0]!.slice(0, part.length * type.listSize))
    const child = concatColumns(elements, region)
    return new Data(type, 0, length, nullCount, { 2: validity } as never, [child])
  }
  if (parts.some(part => part.valueOffsets !== undefined)) {
    const { offsets, spans } = concatOffsets(parts, length, region)
    if (DataType.isUtf8(type) || DataType.isBinary(type)) {
      const bytes = concatViews(
        parts.map((part, i) => (part.values as Uint8Array).subarray(...spans[i]!)),
        region,
      )
      return new Data(type, 0, length, nullCount, { 0: offsets, 1: bytes, 2: validity } as never)
    }
    const child = concatColumns(
      parts.map((part, i) => part.children[0]!.slice(spans[i]![0], spans[i]![1] - spans[i]![0])),
      region,
    )
    return new Data(type, 0, length, nullCount, { 0: offsets, 2: validity } as never, [child])
  }
  if (DataType.isBool(type)) {
    const values = concatBits(
      parts.map(part => ({ bits: part.values as Uint8Array, offset: part.offset, length: part.length })),
      length,
      region,
    )
    return new Data(type, 0, length, nullCount, { 1: values, 2: validity } as never)
  }
  if (parts[0]!.children.length > 0) {
    throw new SluiceError('unsupported', `batches of type ${type} cannot be joined`)
  }
  const values = concatViews(
    parts.map(part => part.values.subarray(0, part.length * part.stride)),
    region,
  )
  return new Data(type, 0, length, nullCount, { 1: values, 2: validity } as never)
}

function concatDictionaries(columns: readonly Data[], region: Region): Data {
  const { type } = columns[0]!
  const length = columns.reduce((sum, column) => sum + column.length, 0)
  const nullCount = columns.reduce((sum, column) => sum + column.nullCount, 0)
  const distinct: Data[] = []
  const bases: number[] = []
  const starts: number[] = []
  let size = 0
  for (const column of columns) {
    const dictionary = dictionaryData(column)
    let index = distinct.findIndex(known => known.values === dictionary.values)
    if (index < 0) {
      index = distinct.push(dictionary) - 1
      starts.push(size)
      size += dictionary.length
    }
    // An empty dictionary has null rows only; their code has to stay within the joined one.
    bases.push(dictionary.length === 0 ? 0 : starts[index]!)
  }
  const codes = region.arena.i32(region.alloc(length * 4), length)
  let at = 0
  columns.forEach((column, i) => {
    const base = bases[i]!
    const from = column.values as Int32Array
    if (base === 0) codes.set(from.subarray(0, column.length), at)
    else for (let row = 0; row < column.length; row++) codes[at + row] = from[row]! + base
    at += column.length
  })
  const dictionary = new Vector([concatColumns(distinct, region)])
  const validity = concatValidity(columns, length, nullCount, region)
  return new Data(type, 0, length, nullCount, { 1: codes, 2: validity } as never, [], dictionary)
}

function concatValidity(
  parts: readonly Data[],
  length: number,
  nullCount: number,
  region: Region,
): Uint8Array {
  if (nullCount === 0) return new Uint8Array(0)
  return concatBits(
    parts.map(part => ({
      bits: part.nullCount === 0 ? undefined : alignedValidity(part, region),
      offset: 0,
      length: part.length,
    })),
    length,
    region,
  )
}

function concatBits(
  parts: readonly { bits: Uint8Array | undefined; offset: number; length: number }[],
  length: number,
  region: Region,
): Uint8Array {
  const bytes = (length + 7) >> 3
  const out = region.arena.u8(region.zeroed(bytes), bytes)
  let at = 0
  for (const { bits, offset, length: count } of parts) {
    for (let i = 0; i < count; i++, at++) {
      const set = bits === undefined ? 1 : (bits[(offset + i) >> 3]! >> ((offset + i) & 7)) & 1
      out[at >> 3]! |= set << (at & 7)
    }
  }
  return out
}

function concatOffsets(
  parts: readonly Data[],
  length: number,
  region: Region,
): { offsets: Int32Array; spans: [number, number][] } {
  const offsets = region.arena.i32(region.alloc((length + 1) * 4), length + 1)
  const spans: [number, number][] = []
  let at = 0
  let base = 0
  offsets[0] = 0
  for (const part of parts) {
    const from = part.valueOffsets as Int32Array
    const start = from[0] ?? 0
    const end = part.length === 0 ? start : from[part.length]!
    if (base + end - start > 2 ** 31 - 1) {
      throw new SluiceError('budget', 'a batch would hold more than 2 GiB of one column', {
        hint: "Use mode 'streaming' or 'batch'.",
      })
    }
    for (let i = 1; i <= part.length; i++) offsets[at + i] = base + from[i]! - start
    at += part.length
    base += end - start
    spans.push([start, end])
  }
  return { offsets, spans }
}

function concatViews<T extends ArrayBufferView & { length: number }>(views: readonly T[], region: Region): T {
  const length = views.reduce((sum, view) => sum + view.length, 0)
  const first = views[0]! as T & { BYTES_PER_ELEMENT: number }
  const view = first.constructor as unknown as TypedArrayConstructor
  // Allocate first: it may replace `arena.buffer`.
  const address = region.alloc(length * first.BYTES_PER_ELEMENT)
  const out = new view(region.arena.buffer, address, length) as T & {
    set(source: T, at: number): void
  }
  let at = 0
  for (const part of views) {
    out.set(part, at)
    at += part.length
  }
  return out
}
