import type { Arena } from '../core/arena.ts'
import { BLOOM_BLOCK, bloomHeader } from './bloom-filter.ts'
import type { EncodedValues } from './choose-encoding.ts'
import type { LeafType } from './leaf-type.ts'

/** Filters are not made larger than this, whatever their share of false positives: Arrow reads no larger ones. */
const MAX_BYTES = 128 * 2 ** 20

/**
 * A bloom filter of a chunk's values, with its header, for at most a share `fpp` of false positives. Of a dictionary
 * each value is put in once. Where values are not numbered each is taken to be another one, which makes the filter
 * larger than it need be if they repeat.
 */
export function bloomFilterOf(
  arena: Arena,
  leaf: LeafType,
  { values, coded }: EncodedValues,
  count: number,
  fpp: number,
): Uint8Array {
  const { kernels } = arena
  const source = coded === undefined ? { address: values!.address, count } : coded.dictionary
  const bytes = filterBytes(source.count, fpp)
  const blocks = bytes / BLOOM_BLOCK
  const region = arena.region()
  try {
    const bits = region.zeroed(bytes)
    if (leaf.layout === 'bytes') kernels.bloomSpans(source.address, source.count, bits, blocks)
    else kernels.bloomFixed(source.address, leaf.width, source.count, bits, blocks)
    const twins = otherForms(leaf)
    if (twins.length > 0) {
      const forms = region.alloc(twins.length)
      arena.u8(forms, twins.length).set(twins)
      kernels.bloomFixed(forms, leaf.width, twins.length / leaf.width, bits, blocks)
    }
    return Buffer.concat([bloomHeader(bytes), arena.u8(bits, bytes)])
  } finally {
    region.free()
  }
}

/** A power of two, as Arrow wants it, that holds the bits which `values` need (BloomFilter.md, "Sizing"). */
function filterBytes(values: number, fpp: number): number {
  const bits = (-8 * values) / Math.log(1 - fpp ** (1 / 8))
  const bytes = 2 ** Math.ceil(Math.log2(Math.max(1, bits / 8)))
  return Math.min(MAX_BYTES, Math.max(BLOOM_BLOCK, bytes))
}

/**
 * Both zeros and NaN of every float column: they are equal to values of other bits, and a reader may ask for one
 * where the other is there. That they may be there is said of all columns.
 */
function otherForms({ order }: LeafType): Uint8Array {
  if (order === 'f32') return new Uint8Array(Float32Array.of(0, -0, Number.NaN).buffer)
  if (order === 'f64') return new Uint8Array(Float64Array.of(0, -0, Number.NaN).buffer)
  return new Uint8Array(0)
}
