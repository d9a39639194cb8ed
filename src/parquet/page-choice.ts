import type { Region } from '../core/arena.ts'
import { SluiceError } from '../core/errors.ts'
import type { Rows } from '../core/take.ts'
import type { PageInUse } from './column-output.ts'
import { bitsDecoder, bytesDecoder, fixedDecoder } from './encodings/decoder.ts'
import { isDictionaryEncoding } from './encodings/dictionary.ts'
import { malformedValues } from './encodings/encoded.ts'
import type { PhysicalType, SchemaElement } from './metadata.ts'

/**
 * Some rows of an open page as a page of their own, in `region`: their levels, and their values as they are
 * encoded, so that whatever decodes pages decodes these rows and no others. `chosen` counts rows from row `origin`
 * of the row group, ascending; all of them lie in the page.
 *
 * Dictionary codes are picked out of their runs, PLAIN values by address. Values of other encodings depend on
 * those before them: such a page is made a PLAIN one first, once.
 */
export function choosePage(
  page: PageInUse,
  element: SchemaElement,
  chosen: Rows,
  origin: number,
  region: Region,
): PageInUse {
  const { kernels } = region.arena
  const rows = chosen.count
  let positions = region.alloc(4 * rows)
  kernels.shiftOffsets(chosen.indices, rows, origin - page.firstRow, positions)
  let dense = rows
  let validity = 0
  if (page.validity !== 0) {
    const all = positions
    validity = region.zeroed((rows + 7) >> 3)
    positions = region.alloc(4 * rows)
    dense = kernels.densePositions(page.validity, all, rows, positions, validity)
    if (dense === rows) validity = 0
  }
  const shape = { firstRow: 0, rows, dense, validity, region, decoded: undefined, bytes: undefined }
  if (dense === 0) return { ...shape, encoding: page.encoding, values: 0, end: 0 }
  const picked = isDictionaryEncoding(page.encoding)
    ? chooseCodes(page, positions, dense, region)
    : choosePlain(page, element, positions, dense, region)
  return { ...shape, ...picked }
}

type Picked = Pick<PageInUse, 'encoding' | 'values' | 'end'>

/** One bit-packed run of codes of 32 bits, which is to say the codes themselves. */
function chooseCodes(page: PageInUse, positions: number, count: number, region: Region): Picked {
  const { values, end, encoding } = page
  if (end <= values) throw malformedValues(encoding)
  const { arena } = region
  const bitWidth = arena.u8(values, 1)[0]!
  const head = arena.u8(region.alloc(HEAD + 4 * count), HEAD)
  const codes = head.byteOffset + HEAD
  const largest = arena.kernels.rleChosen(values + 1, end, bitWidth, positions, count, codes)
  // -1 is a code, too, but one that no dictionary has.
  if (largest === -1) throw malformedValues(encoding)
  // The run's header is a ULEB128 number of five bytes, however small.
  const header = 2 * ((count + 7) >> 3) + 1
  head[0] = 32
  for (let i = 1; i < HEAD; i++) head[i] = (Math.floor(header / 2 ** (7 * (i - 1))) & 127) | (i < 5 ? 128 : 0)
  return { encoding, values: head.byteOffset, end: codes + 4 * count }
}

/** A byte for the width of the codes, five for the run's header. */
const HEAD = 6

function choosePlain(
  page: PageInUse,
  element: SchemaElement,
  positions: number,
  count: number,
  region: Region,
): Picked {
  const { kernels } = region.arena
  const type = element.type!
  if (type === 'BYTE_ARRAY') {
    const { data, gap, offsets } = (page.bytes ??= bytesDecoder(page.encoding)(encodedOf(page), page.region))
    const size = kernels.chosenPlainSize(offsets, positions, count)
    if (size > MAX_PAGE) throw new SluiceError('budget', 'the chosen values of a page do not fit in 2 GiB')
    const values = region.alloc(size)
    kernels.chosenPlain(data, gap, offsets, positions, count, values)
    return { encoding: 'PLAIN', values, end: values + size }
  }
  if (type === 'BOOLEAN') {
    const bits = bitsDecoder(page.encoding)(encodedOf(page), page.region)
    const size = (count + 7) >> 3
    const values = region.alloc(size)
    kernels.takeBits(bits, 0, positions, count, values)
    return { encoding: 'PLAIN', values, end: values + size }
  }
  const width = WIDTHS[type] ?? element.typeLength!
  if (page.encoding !== 'PLAIN') {
    const plain = page.region.alloc(page.dense * width)
    fixedDecoder(type, page.encoding)(encodedOf(page), width, plain, page.region)
    Object.assign(page, { encoding: 'PLAIN', values: plain, end: plain + page.dense * width })
  }
  if (page.dense * width > page.end - page.values) throw malformedValues('PLAIN')
  const values = region.alloc(count * width)
  kernels.gatherValues(positions, count, page.values, width, values)
  return { encoding: 'PLAIN', values, end: values + count * width }
}

const MAX_PAGE = 2 ** 31 - 1

const WIDTHS: Partial<Record<PhysicalType, number>> = { INT32: 4, INT64: 8, INT96: 12, FLOAT: 4, DOUBLE: 8 }

function encodedOf({ values, end, dense }: PageInUse): { values: number; end: number; count: number } {
  return { values, end, count: dense }
}
