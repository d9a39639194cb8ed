import type { EncodedPage } from './column-writer.ts'
import type { ValueOrder } from './leaf-type.ts'
import { compareValues, type ValueBounds } from './statistics.ts'
import { BOUNDARY_ORDERS } from './thrift-enums.ts'
import { ThriftWriter } from './thrift-writer.ts'

const NOTHING = new Uint8Array(0)

/** `OffsetIndex` of a column chunk: where its pages lie. */
export function writeOffsetIndex(pages: readonly EncodedPage[]): Uint8Array {
  const w = new ThriftWriter(16 * pages.length + 16)
  w.list(1, 'struct', pages, page =>
    w.elementStruct(() => {
      w.i64(1, page.offset)
      w.i32(2, page.compressedPageSize)
      w.i64(3, page.firstRowIndex)
    }),
  )
  return w.finish()
}

/**
 * `ColumnIndex` of a column chunk: what its pages hold; `undefined` if a page has values and no bounds (all are
 * NaN), which the format cannot say.
 */
export function writeColumnIndex(order: ValueOrder, pages: readonly EncodedPage[]): Uint8Array | undefined {
  if (pages.some(page => page.nullCount < page.slots && page.bounds === undefined)) return undefined
  const w = new ThriftWriter(64 * pages.length + 16)
  w.list(1, 'bool', pages, page => w.elementBool(page.bounds === undefined))
  w.list(2, 'binary', pages, page => w.elementBinary(page.bounds?.min ?? NOTHING))
  w.list(3, 'binary', pages, page => w.elementBinary(page.bounds?.max ?? NOTHING))
  w.i32(4, BOUNDARY_ORDERS.indexOf(boundaryOrder(order, pages)))
  w.list(5, 'i64', pages, page => w.elementInteger(page.nullCount))
  return w.finish()
}

/** Whether minima and maxima of the pages that have any go one way. */
function boundaryOrder(order: ValueOrder, pages: readonly EncodedPage[]): (typeof BOUNDARY_ORDERS)[number] {
  const bounds = pages.flatMap<ValueBounds>(page => page.bounds ?? [])
  let ascending = true
  let descending = true
  for (let i = 1; i < bounds.length; i++) {
    const [a, b] = [bounds[i - 1]!, bounds[i]!]
    const low = compareValues(order, a.min, b.min)
    const high = compareValues(order, a.max, b.max)
    ascending &&= low <= 0 && high <= 0
    descending &&= low >= 0 && high >= 0
  }
  return ascending ? 'ASCENDING' : descending ? 'DESCENDING' : 'UNORDERED'
}
