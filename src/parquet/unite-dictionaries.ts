import type { Arena, Region } from '../core/arena.ts'
import { SluiceError } from '../core/errors.ts'
import { type CodedValues, numberValues } from './dictionary-builder.ts'
import { plainBytes } from './encodings/plain.ts'
import type { LeafType } from './leaf-type.ts'
import type { Page, PageOpener } from './pages.ts'
import type { PhysicalValues } from './physical-column.ts'

/** Larger dictionaries would make a chunk slower to read than its plain values. */
const MAX_ENTRIES = 1 << 17
const MAX_BYTES = 1 << 20

/**
 * The distinct values of all dictionaries, and for each value of each dictionary its number among them: these lie in
 * the order of the dictionaries. Undefined if that is too much for one dictionary.
 */
export function uniteDictionaries(
  region: Region,
  leaf: LeafType,
  dictionaries: readonly { page: Page; opener: PageOpener }[],
): CodedValues | undefined {
  const entries = dictionaries.reduce((sum, { page }) => sum + page.header.numValues, 0)
  const bytes = dictionaries.reduce((sum, { page }) => sum + page.header.uncompressedSize, 0)
  // Without knowing yet how much they have in common.
  if (entries > 64 * MAX_ENTRIES || bytes > 64 * MAX_BYTES) return undefined
  const address = region.alloc(entries * leaf.width)
  let target = address
  for (const { page, opener } of dictionaries) {
    readValues(region, leaf, page, opener, target)
    target += page.header.numValues * leaf.width
  }
  const united = numberValues(region, leaf, { address, count: entries })
  const { dictionary } = united
  const fits = dictionary.count <= MAX_ENTRIES && bytesOf(region.arena, leaf, dictionary) <= MAX_BYTES
  return fits ? united : undefined
}

/** The values of a dictionary page: side by side at `target`, or as spans there. */
function readValues(region: Region, leaf: LeafType, page: Page, opener: PageOpener, target: number): void {
  const { kernels } = region.arena
  const { encoding, numValues: count, uncompressedSize } = page.header
  if (encoding !== 'PLAIN' && encoding !== 'PLAIN_DICTIONARY') {
    throw new SluiceError('unsupported', `a dictionary encoded as ${encoding} is not supported`)
  }
  const values = opener.openDictionary(page, region)
  const end = values + uncompressedSize
  if (leaf.layout !== 'bytes') {
    if (count * leaf.width > uncompressedSize) {
      throw new SluiceError('corrupt', `a dictionary claims ${count} values in ${uncompressedSize} bytes`)
    }
    kernels.copy(values, target, count * leaf.width)
    return
  }
  const { offsets, data, gap } = plainBytes({ values, end, count }, region)
  const bytes = region.arena.i32(offsets, count + 1)[count]!
  const text = region.alloc(bytes)
  kernels.copyBytes(data + gap, end, gap, offsets, count, text, text + bytes)
  kernels.spansOfOffsets(offsets, text, 0, bytes, 0, 0, count, target)
}

function bytesOf(arena: Arena, leaf: LeafType, { address, count }: PhysicalValues): number {
  return leaf.layout === 'bytes' ? arena.kernels.spanBytes(address, count) : count * leaf.width
}
