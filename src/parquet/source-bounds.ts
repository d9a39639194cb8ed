import type { ValueOrder } from './leaf-type.ts'
import type { Statistics } from './metadata.ts'
import type { ValueBounds } from './statistics.ts'

/**
 * The bounds of another writer's statistics, if they may be repeated under our name; `undefined` where there is
 * none, where the format defines no order, for NaN, which no writer may use as a bound, and for bytes of another length
 * than the type's.
 */
export function trustedBounds(
  order: ValueOrder,
  statistics: Statistics | undefined,
): ValueBounds | undefined {
  if (statistics?.min === undefined || statistics.max === undefined || order === 'none') return undefined
  const { min, max, isMinExact = false, isMaxExact = false } = statistics
  if (![min, max].every(({ length }) => length === (WIDTHS[order] ?? length))) return undefined
  if (order === 'signed-bytes' && (min.length === 0 || min.length !== max.length)) return undefined
  if (isNaNBytes(order, min) || isNaNBytes(order, max)) return undefined
  return { min, max, isMinExact, isMaxExact }
}

const WIDTHS: Partial<Record<ValueOrder, number>> = {
  boolean: 1,
  i32: 4,
  u32: 4,
  i64: 8,
  u64: 8,
  f16: 2,
  f32: 4,
  f64: 8,
}

function isNaNBytes(order: ValueOrder, bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (order === 'f64') return Number.isNaN(view.getFloat64(0, true))
  if (order === 'f32') return Number.isNaN(view.getFloat32(0, true))
  return order === 'f16' && (view.getUint16(0, true) & 0x7fff) > 0x7c00
}
