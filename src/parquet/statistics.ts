import type { Arena } from '../core/arena.ts'
import type { LeafType, ValueOrder } from './leaf-type.ts'

/** Least and greatest of some values, as raw bytes of the column's type. */
export interface ValueBounds {
  min: Uint8Array
  max: Uint8Array
  /** The bound is one of the values, and not a shorter one outside of them. */
  isMinExact: boolean
  isMaxExact: boolean
}

/** Byte strings longer than this are cut in statistics. */
export const MAX_BOUND_BYTES = 64

/**
 * The bounds of `count` physical values (at least one); `undefined` if there are none, all being NaN. By the
 * rules of `TypeDefinedOrder`: NaN is left out, a minimum of 0 is written as -0 and a maximum as +0.
 */
export function valueBounds(
  arena: Arena,
  leaf: LeafType,
  values: number,
  count: number,
): ValueBounds | undefined {
  const { kernels } = arena
  const { order, width } = leaf
  if (order === 'none') return undefined
  const region = arena.regionFor(0)
  const out = region.alloc(32)
  try {
    if (order === 'text' || order === 'bytes' || order === 'signed-bytes') {
      let spans = values
      if (leaf.layout !== 'bytes') {
        spans = region.alloc(8 * count)
        kernels.spansOfFixed(values, width, count, spans)
      }
      kernels.boundsSpans(spans, count, order === 'signed-bytes', out)
      const [least, greatest] = arena.i32(out, 2)
      const [min, max] = [spanBytesAt(arena, spans, least!), spanBytesAt(arena, spans, greatest!)]
      return leaf.layout === 'bytes' ? truncated(min, max, order === 'text') : exact(min, max)
    }
    if (order === 'f16') {
      if (kernels.boundsF16(values, count, out) === 0) return undefined
    } else if (order === 'boolean') kernels.bounds8(values, count, out)
    else NUMERIC[order](kernels, values, count, out)
    const min = arena.u8(out, width).slice()
    const max = arena.u8(out + width, width).slice()
    if (order[0] !== 'f') return exact(min, max)
    if (compareValues(order, min, max) > 0) return undefined
    if (isZero(min)) min[width - 1] = 0x80
    if (isZero(max)) max.fill(0)
    return exact(min, max)
  } finally {
    region.free()
  }
}

type Numeric = 'i32' | 'u32' | 'i64' | 'u64' | 'f32' | 'f64'
type BoundsKernel = (kernels: Arena['kernels'], values: number, count: number, out: number) => void

const NUMERIC: Record<Numeric, BoundsKernel> = {
  i32: (k, values, count, out) => k.boundsI32(values, count, out),
  u32: (k, values, count, out) => k.boundsU32(values, count, out),
  i64: (k, values, count, out) => k.boundsI64(values, count, out),
  u64: (k, values, count, out) => k.boundsU64(values, count, out),
  f32: (k, values, count, out) => k.boundsF32(values, count, out),
  f64: (k, values, count, out) => k.boundsF64(values, count, out),
}

function exact(min: Uint8Array, max: Uint8Array): ValueBounds {
  return { min, max, isMinExact: true, isMaxExact: true }
}

/** Bounds that hold for both. */
export function joinBounds(
  order: ValueOrder,
  a: ValueBounds | undefined,
  b: ValueBounds | undefined,
): ValueBounds | undefined {
  if (a === undefined || b === undefined) return a ?? b
  const low = compareValues(order, a.min, b.min)
  const high = compareValues(order, a.max, b.max)
  return {
    min: low <= 0 ? a.min : b.min,
    max: high >= 0 ? a.max : b.max,
    isMinExact: (low <= 0 && a.isMinExact) || (low >= 0 && b.isMinExact),
    isMaxExact: (high >= 0 && a.isMaxExact) || (high <= 0 && b.isMaxExact),
  }
}

/** Negative, zero or positive, in the column's order. No NaN. */
export function compareValues(order: ValueOrder, a: Uint8Array, b: Uint8Array): number {
  if (order === 'bytes' || order === 'text' || order === 'none') return Buffer.compare(a, b)
  if (order === 'boolean') return a[0]! - b[0]!
  if (order === 'signed-bytes') {
    return ((a[0]! << 24) >> 24) - ((b[0]! << 24) >> 24) || Buffer.compare(a, b)
  }
  const [x, y] = [numberOf(order, a), numberOf(order, b)]
  return x < y ? -1 : x > y ? 1 : 0
}

function numberOf(order: Numeric | 'f16', bytes: Uint8Array): number | bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  switch (order) {
    case 'i32':
      return view.getInt32(0, true)
    case 'u32':
      return view.getUint32(0, true)
    case 'i64':
      return view.getBigInt64(0, true)
    case 'u64':
      return view.getBigUint64(0, true)
    case 'f32':
      return view.getFloat32(0, true)
    case 'f64':
      return view.getFloat64(0, true)
    case 'f16': {
      const half = view.getUint16(0, true)
      return half & 0x8000 ? -(half & 0x7fff) : half
    }
  }
}

function isZero(float: Uint8Array): boolean {
  return float.every((byte, index) => byte === 0 || (byte === 0x80 && index === float.length - 1))
}

function spanBytesAt(arena: Arena, spans: number, index: number): Uint8Array {
  const [address, length] = arena.i32(spans + 8 * index, 2)
  return arena.u8(address! >>> 0, length! >>> 0).slice()
}

function truncated(min: Uint8Array, max: Uint8Array, text: boolean): ValueBounds {
  const low = min.length > MAX_BOUND_BYTES ? truncateMin(min, text) : min
  const high = max.length > MAX_BOUND_BYTES ? truncateMax(max, text) : max
  return { min: low, max: high, isMinExact: low === min, isMaxExact: high === max }
}

/** A prefix sorts before the whole. */
function truncateMin(value: Uint8Array, text: boolean): Uint8Array {
  return value.slice(0, text ? characterStart(value, MAX_BOUND_BYTES) : MAX_BOUND_BYTES)
}

/** A prefix with its last character or byte made greater; the whole, if that is possible nowhere. */
function truncateMax(value: Uint8Array, text: boolean): Uint8Array {
  if (text) {
    let end = characterStart(value, MAX_BOUND_BYTES)
    while (end > 0) {
      const start = characterStart(value, end - 1)
      const greater = nextCharacter(value.subarray(start, end))
      if (greater !== undefined) return Buffer.concat([value.subarray(0, start), greater])
      end = start
    }
    return value
  }
  for (let last = MAX_BOUND_BYTES - 1; last >= 0; last--) {
    if (value[last] === 0xff) continue
    const cut = value.slice(0, last + 1)
    cut[last]!++
    return cut
  }
  return value
}

/** The last start of a UTF-8 character at or before `index`. */
function characterStart(value: Uint8Array, index: number): number {
  let start = index
  while (start > 0 && (value[start]! & 0xc0) === 0x80) start--
  return start
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The next code point, if there is one and it takes no more bytes (surrogates are none). */
function nextCharacter(character: Uint8Array): Uint8Array | undefined {
  let text: string
  try {
    text = strict.decode(character)
  } catch {
    return undefined
  }
  const point = text.codePointAt(0)! + 1
  const next = point === 0xd800 ? 0xe000 : point
  if (next > 0x10ffff) return undefined
  const bytes = new TextEncoder().encode(String.fromCodePoint(next))
  return bytes.length <= character.length ? bytes : undefined
}
