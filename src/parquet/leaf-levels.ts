import type { Arena, Region } from '../core/arena.ts'
import { hybridBitsBound } from './encodings/encode-rle.ts'
import type { Validity } from './physical-column.ts'

/** Writes the levels of some rows at `out`, RLE/bit-packed, without their length; returns the bytes written. */
type EncodeLevels = (firstRow: number, rows: number, out: number) => number

/** Which of a leaf's rows hold values and, where it lies in lists, how many. */
export interface LeafLevels {
  rows: number
  /** What the rows become: values, nulls, and missing or empty lists. */
  slots: number
  /** Slots that are values. */
  values: number
  slotsIn(firstRow: number, rows: number): number
  valuesIn(firstRow: number, rows: number): number
  /** At least as many bytes as the levels of some rows will take. */
  bound(firstRow: number, rows: number): number
  /** Absent where all levels are 0. */
  repetition?: EncodeLevels
  definition?: EncodeLevels
}

/** Levels of nested values in the arena, a byte each. */
export interface NestedLevels {
  rows: number
  slots: number
  values: number
  definition: number
  maxDefinition: number
  /** Meaningless where `maxRepetition` is 0. */
  repetition: number
  maxRepetition: number
}

/** The levels of a column that is not nested: 1 for a value, 0 for a null; none for a REQUIRED one. */
export function flatLevels(arena: Arena, validity: Validity, optional: boolean): LeafLevels {
  const { rows, bits, valid } = validity
  const { kernels } = arena
  const levels: LeafLevels = {
    rows,
    slots: rows,
    values: valid,
    slotsIn: (_firstRow, count) => count,
    valuesIn: (firstRow, count) => (bits === 0 ? count : kernels.countBits(bits, firstRow, count)),
    bound: (_firstRow, count) => hybridBitsBound(count),
  }
  if (!optional) return levels
  levels.definition = (firstRow, count, out) => {
    if (bits !== 0) return kernels.encodeHybridBits(bits, firstRow, count, out)
    // All valid: one run. Of values without width the hybrid has the header only; the value 1 follows it.
    const header = kernels.encodeHybrid(0, count, 0, out)
    arena.u8(out + header, 1)[0] = 1
    return header + 1
  }
  return levels
}

/** The levels of a leaf of a nested column. */
export function nestedLevels(region: Region, levels: NestedLevels): LeafLevels {
  const { arena } = region
  const { kernels } = arena
  const { rows, slots, values, definition, maxDefinition, repetition, maxRepetition } = levels
  const starts = region.alloc(4 * (rows + 1))
  if (maxRepetition > 0) kernels.rowStarts(repetition, slots, rows, starts)
  const startOf = (row: number): number => (maxRepetition === 0 ? row : arena.i32(starts + 4 * row, 1)[0]!)
  const slotsIn = (firstRow: number, count: number): number => startOf(firstRow + count) - startOf(firstRow)
  const encode = (address: number, max: number): EncodeLevels => {
    return (firstRow, count, out) => {
      const within = slotsIn(firstRow, count)
      const scratch = arena.region()
      const wide = scratch.alloc(4 * within)
      kernels.widen(address + startOf(firstRow), 1, false, within, wide)
      const bytes = kernels.encodeHybrid(wide, within, bitsOf(max), out)
      scratch.free()
      return bytes
    }
  }
  return {
    rows,
    slots,
    values,
    slotsIn,
    valuesIn: (firstRow, count) =>
      kernels.countLevel(definition + startOf(firstRow), slotsIn(firstRow, count), maxDefinition),
    bound(firstRow, count) {
      const groups = Math.ceil(slotsIn(firstRow, count) / 8)
      return groups * (bitsOf(maxDefinition) + bitsOf(maxRepetition) + 2) + 32
    },
    ...(maxDefinition > 0 ? { definition: encode(definition, maxDefinition) } : {}),
    ...(maxRepetition > 0 ? { repetition: encode(repetition, maxRepetition) } : {}),
  }
}

/** Bits of a level. */
function bitsOf(max: number): number {
  return 32 - Math.clz32(max)
}
