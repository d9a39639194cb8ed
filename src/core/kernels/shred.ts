/**
 * From Arrow's nested columns to levels. A slot is what becomes a pair of levels; `index` (32 bits a slot) says
 * which element of a node it stands for, -1 for none, and `definition` (a byte a slot) the level of those with
 * none.
 */
export interface ShredKernels {
  /** Ends the slots whose bit is clear, at `level`; returns how many. */
  dropNullSlots(
    index: number,
    definition: number,
    count: number,
    bits: number,
    level: number,
    outIndex: number,
    outDefinition: number,
  ): number
  /** How many slots lists become; -1 if their offsets do not ascend up to `elements`. */
  countSlots(index: number, count: number, offsets: number, elements: number): number
  /** Lists to their elements; `repetition` (a byte a slot) may be 0. */
  expandSlots(
    index: number,
    definition: number,
    repetition: number,
    count: number,
    offsets: number,
    level: number,
    depth: number,
    outIndex: number,
    outDefinition: number,
    outRepetition: number,
  ): void
  /** Completes the levels of a leaf and sets the bits of the elements that are values; returns how many. */
  finishSlots(index: number, definition: number, count: number, level: number, bits: number): number
  /** The slots at which rows begin, and `count` after the last: `rows` + 1 numbers. */
  rowStarts(repetition: number, count: number, rows: number, out: number): void
  /** How many of `count` bytes are `level`. */
  countLevel(levels: number, count: number, level: number): number
}
