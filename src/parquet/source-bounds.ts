import type { ValueOrder } from './leaf-type.ts'
import type { Statistics } from './metadata.ts'
import type { ValueBounds } from './statistics.ts'

/**
 * The bounds of another writer's statistics, if they may be repeated under our name; `undefined` where there is
 * none, where the format defines no order, and for NaN, which no writer may use as a bound.
 */
export function trustedBounds(
  order: ValueOrder,
  statistics: Statistics | undefined,
): ValueBounds | undefined {
  if (statistics?.min === undefined || statistics.max === undefined || order === 'none') return undefined
  const { min, max, isMinExact = false, isMaxExact = false } = statistics
  if (isNaNBytes(order, min) || isNaNBytes(order, max)) return undefined
  return { min, max, isMinExact, isMaxExact }
}

function isNaNBytes(order: ValueOrder, bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (order === 'f64') return Number.isNaN(view.getFloat64(0, true))
  if (order === 'f32') return Number.isNaN(view.getFloat32(0, true))
  return order === 'f16' && (view.getUint16(0, true) & 0x7fff) > 0x7c00
}
