import type { Region } from '../core/arena.ts'
import { SluiceError } from '../core/errors.ts'
import type { PageInUse } from './column-output.ts'
import type { LeafShape } from './column-shape.ts'
import type { PageCodec } from './compression/codec.ts'
import { pageCodec } from './compression/codecs.ts'
import type { Encoding } from './metadata.ts'
import { bodyOf, type Page, readU32 } from './pages.ts'

/** A data page of a nested leaf, laid open. Its rows are the elements of the leaf's array. */
export interface NestedPage extends PageInUse {
  /** Pairs of levels, a byte each. */
  slots: number
  repetition: number
  definition: number
}

/** Opens a data page in `region`, which is the page's from here on. */
export function openNestedPage(page: Page, codec: PageCodec, shape: LeafShape, region: Region): NestedPage {
  const { header } = page
  const slots = header.numValues
  const { kernels } = region.arena
  const { repetition, definition, values, end } =
    header.type === 'data' ? openV1(page, codec, shape, region) : openV2(page, codec, shape, region)
  const bits = region.zeroed((slots + 7) >> 3)
  const rows = kernels.leafBits(definition, slots, shape.level, shape.present, bits)
  const dense = kernels.popcount(bits, rows)
  return {
    slots,
    repetition,
    definition,
    firstRow: page.firstRow,
    rows,
    dense,
    validity: dense === rows ? 0 : bits,
    encoding: header.encoding,
    values,
    end,
    region,
    decoded: undefined,
    bytes: undefined,
  }
}

interface Opened {
  repetition: number
  definition: number
  values: number
  end: number
}

/** Levels and values are compressed together; the length of levels is written before them. */
function openV1({ header, ...page }: Page, codec: PageCodec, shape: LeafShape, region: Region): Opened {
  const { uncompressedSize, numValues, repetitionEncoding, levelEncoding } = header
  let values = codec.decompress(bodyOf({ header, ...page }), uncompressedSize, region)
  const end = values + uncompressedSize
  const next = (max: number, encoding: Encoding): number => {
    if (max === 0) return region.zeroed(numValues)
    if (encoding !== 'RLE')
      throw new SluiceError('unsupported', `nested levels encoded as ${encoding} are not supported`)
    const start = values + 4
    const length = start > end ? 0 : readU32(region.arena.u8(values, 4))
    if (length > end - start) throw malformed()
    values = start + length
    return levels(start, values, max, numValues, region)
  }
  const repetition = next(shape.depth, repetitionEncoding)
  const definition = next(shape.present, levelEncoding)
  return { repetition, definition, values, end }
}

/** Levels come first, uncompressed, with their lengths in the header. */
function openV2(page: Page, codec: PageCodec, shape: LeafShape, region: Region): Opened {
  const { uncompressedSize, numValues, repetitionBytes, definitionBytes, isCompressed } = page.header
  const body = bodyOf(page)
  const before = repetitionBytes + definitionBytes
  const start = region.alloc(before)
  region.arena.u8(start, before).set(body.subarray(0, before))
  const middle = start + repetitionBytes
  const repetition = levels(start, middle, shape.depth, numValues, region)
  const definition = levels(middle, start + before, shape.present, numValues, region)
  const size = uncompressedSize - before
  // Without any value there may be nothing to decompress, not even an empty frame.
  if (size === 0) return { repetition, definition, values: start, end: start }
  const valueCodec = isCompressed ? codec : pageCodec('UNCOMPRESSED')
  const values = valueCodec.decompress(body.subarray(before), size, region)
  return { repetition, definition, values, end: values + size }
}

/** Decodes levels of at most `max` to a byte each. */
function levels(start: number, end: number, max: number, count: number, region: Region): number {
  const target = region.zeroed(count)
  if (max === 0) return target
  const { arena } = region
  const scratch = arena.region()
  try {
    const wide = scratch.alloc(4 * count)
    const largest = arena.kernels.rleToI32(start, end, 32 - Math.clz32(max), count, wide)
    if (largest < 0 || largest > max) throw malformed()
    arena.kernels.narrowTo8(wide, count, target)
    return target
  } finally {
    scratch.free()
  }
}

function malformed(): SluiceError {
  return new SluiceError('corrupt', 'the repetition levels or the definition levels of a page are malformed')
}
