import { SluiceError } from '../core/errors.ts'
import type { ColumnIndex, OffsetIndex, PageLocation } from './metadata.ts'
import { BOUNDARY_ORDERS } from './thrift-enums.ts'
import { ThriftReader, ThriftType } from './thrift-reader.ts'

/** Reads a chunk's `OffsetIndex`, the bytes that `offsetIndexOffset` and `offsetIndexLength` of it name. */
export function readOffsetIndex(bytes: Uint8Array): OffsetIndex {
  const reader = new ThriftReader(bytes)
  const index: OffsetIndex = { pages: [] }
  reader.struct((id, type) => {
    if (type !== ThriftType.LIST) return false
    if (id === 1) index.pages = reader.list(ThriftType.STRUCT, () => pageLocation(reader))
    else if (id === 2) index.unencodedByteArrayBytes = reader.list(ThriftType.I64, () => reader.i64())
    else return false
  })
  let row = -1
  for (const { offset, compressedPageSize, firstRowIndex } of index.pages) {
    if (offset < 0 || compressedPageSize < 0 || firstRowIndex <= row) {
      throw new SluiceError('corrupt', 'the offset index contradicts itself')
    }
    row = firstRowIndex
  }
  return index
}

function pageLocation(reader: ThriftReader): PageLocation {
  const page: PageLocation = { offset: -1, compressedPageSize: -1, firstRowIndex: -1 }
  reader.struct((id, type) => {
    if (id === 1 && type === ThriftType.I64) page.offset = reader.i64()
    else if (id === 2 && type === ThriftType.I32) page.compressedPageSize = reader.i32()
    else if (id === 3 && type === ThriftType.I64) page.firstRowIndex = reader.i64()
    else return false
  })
  return page
}

/**
 * Reads a chunk's `ColumnIndex`, the bytes that `columnIndexOffset` and `columnIndexLength` of it name;
 * `undefined` if it contradicts itself. Some writers put an index with null counts of -1 that calls every page
 * null: nothing may be pruned by that.
 */
export function readColumnIndex(bytes: Uint8Array): ColumnIndex | undefined {
  const reader = new ThriftReader(bytes)
  const index: ColumnIndex = { nullPages: [], min: [], max: [], boundaryOrder: 'UNORDERED' }
  reader.struct((id, type) => {
    // A promise of order that this version does not know counts for none.
    if (id === 4 && type === ThriftType.I32)
      index.boundaryOrder = BOUNDARY_ORDERS[reader.i32()] ?? 'UNORDERED'
    else if (type !== ThriftType.LIST) return false
    else if (id === 1) index.nullPages = reader.list(ThriftType.TRUE, () => reader.boolElement())
    else if (id === 2) index.min = reader.list(ThriftType.BINARY, () => reader.binary())
    else if (id === 3) index.max = reader.list(ThriftType.BINARY, () => reader.binary())
    else if (id === 5) index.nullCounts = reader.list(ThriftType.I64, () => reader.i64())
    else return false
  })
  const { nullPages, min, max, nullCounts = nullPages.map(() => 0) } = index
  const lists = [min, max, nullCounts]
  const agrees =
    lists.every(list => list.length === nullPages.length) && nullCounts.every(count => count >= 0)
  return agrees ? index : undefined
}
