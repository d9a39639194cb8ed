import type { Region } from '../core/arena.ts'
import type { LeafType } from './leaf-type.ts'
import { type PhysicalValues, physicalBytes, toSpans } from './physical-column.ts'

/** A column as codes: 32-bit numbers, one a value, and the values that they stand for, all of which occur. */
export interface CodedValues {
  codes: number
  count: number
  dictionary: PhysicalValues
}

/** The largest dictionary that is built from plain values, in bytes and in entries. */
const MAX_BYTES = 1 << 20
const MAX_ENTRIES = 1 << 17
/** Values hashed between two looks at the dictionary's bytes. */
const STEP = 32_768
/** The sample: an eighth of the values, within these limits, in groups of so many neighbours. */
const LEAST_SAMPLE = 512
const MOST_SAMPLE = 4096
const SAMPLE_GROUP = 64

/**
 * The values as codes of a new dictionary, or `undefined` if that would take `other` bytes or more. A sample
 * says how many distinct values there may be; building stops where the dictionary grows too large.
 */
export function buildDictionary(
  region: Region,
  leaf: LeafType,
  values: PhysicalValues,
  other: number,
): CodedValues | undefined {
  const { count } = values
  const { arena } = region
  const expected = estimateDistinct(region, leaf, values)
  const average = physicalBytes(arena, leaf, values) / count
  if (dictionaryBytes(count, expected, expected * average) >= other) return undefined
  // A small table stays in the caches. If it proves too small a larger one starts over.
  for (let limit = Math.max(1024, 4 * expected); ; limit *= 8) {
    const entries = Math.min(limit, MAX_ENTRIES, count)
    const coded = tryBuild(region, leaf, values, entries, MAX_BYTES)
    if (coded !== undefined) {
      const { dictionary } = coded
      const bytes = physicalBytes(arena, leaf, dictionary)
      return dictionaryBytes(count, dictionary.count, bytes) < other ? coded : undefined
    }
    if (entries < limit) return undefined
  }
}

/** Numbers all values, whatever it costs: for joining dictionaries. */
export function numberValues(region: Region, leaf: LeafType, values: PhysicalValues): CodedValues {
  return tryBuild(region, leaf, values, Math.max(values.count, 1), Number.POSITIVE_INFINITY)!
}

/** What codes and dictionary take, before compression. */
export function dictionaryBytes(count: number, entries: number, bytes: number): number {
  return bytes + (count * codeWidth(entries)) / 8
}

/** Bits of a code. Never 0: the format allows it, but Arrow C++ writes 1, which every reader has met. */
export function codeWidth(entries: number): number {
  return Math.max(1, 32 - Math.clz32(entries - 1))
}

/** `undefined` if there are more than `limit` distinct values, or more than `maxBytes` of them. */
function tryBuild(
  region: Region,
  leaf: LeafType,
  values: PhysicalValues,
  limit: number,
  maxBytes: number,
): CodedValues | undefined {
  const { arena } = region
  const { kernels } = arena
  const { count } = values
  const scratch = arena.regionFor(0)
  try {
    const hashed = hashable(scratch, leaf, values)
    const { spans, width } = hashed
    const build = spans
      ? kernels.buildDictionarySpans
      : width === 4
        ? kernels.buildDictionary32
        : kernels.buildDictionary64
    // At least two slots an entry.
    const tableBits = 33 - Math.clz32(limit - 1)
    const table = scratch.zeroed((spans ? 8 : 4) * 2 ** tableBits)
    const codes = region.alloc(4 * count)
    const dictionary = region.alloc(width * limit)
    let distinct = 0
    for (let from = 0; from < count; from += STEP) {
      const step = Math.min(STEP, count - from)
      const start = hashed.address + from * width
      distinct = build(start, step, table, tableBits, distinct, limit, dictionary, codes + 4 * from)
      if (distinct < 0) return undefined
      const bytes = spans ? kernels.spanBytes(dictionary, distinct) : distinct * width
      if (bytes > maxBytes) return undefined
    }
    let address = dictionary
    if (spans && leaf.layout !== 'bytes') {
      address = region.alloc(distinct * leaf.width)
      kernels.copySpans(dictionary, distinct, address)
    }
    return { codes, count, dictionary: { address, count: distinct } }
  } finally {
    scratch.free()
  }
}

/** What the kernels can hash: numbers of 4 or 8 bytes, and spans; other widths as spans. */
function hashable(
  scratch: Region,
  leaf: LeafType,
  values: PhysicalValues,
): { address: number; width: 4 | 8; spans: boolean } {
  if (leaf.layout === 'fixed' && (leaf.width === 4 || leaf.width === 8)) {
    return { address: values.address, width: leaf.width, spans: false }
  }
  return { address: toSpans(scratch, leaf, values), width: 8, spans: true }
}

/**
 * How many distinct values there may be, from groups of neighbours all over the column (neighbours, because
 * sorted columns repeat themselves there).
 */
function estimateDistinct(region: Region, leaf: LeafType, values: PhysicalValues): number {
  const { count } = values
  if (count <= LEAST_SAMPLE) return 1
  const groups = Math.floor(Math.min(MOST_SAMPLE, Math.max(LEAST_SAMPLE, count / 8)) / SAMPLE_GROUP)
  const sampled = groups * SAMPLE_GROUP
  const scratch = region.arena.regionFor(32 * sampled)
  const { kernels } = region.arena
  const sample = scratch.alloc(sampled * leaf.width)
  const bytes = SAMPLE_GROUP * leaf.width
  for (let group = 0; group < groups; group++) {
    const from = Math.floor(((count - SAMPLE_GROUP) / (groups - 1)) * group)
    kernels.copy(values.address + from * leaf.width, sample + group * bytes, bytes)
  }
  const drawn = { address: sample, count: sampled }
  const seen = numberValues(scratch, leaf, drawn).dictionary.count
  scratch.free()
  if (seen === sampled) return count
  // Drawing s of n values, equally frequent, shows n (1 - exp(-s / n)) of them: solved for n by bisection.
  let low = seen
  let high = count
  while (high - low > 1) {
    const middle = (low + high) / 2
    if (middle * (1 - Math.exp(-sampled / middle)) < seen) low = middle
    else high = middle
  }
  return Math.ceil(high)
}
