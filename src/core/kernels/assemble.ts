/**
 * From levels, a byte each, to nested columns. An array is known by its `depth`, the number of lists around it, and
 * by `level`, the definition level from which on it has an element.
 */
export interface AssembleKernels {
  /** The first slot that goes on with a list that has no element; -1 if there is none. */
  brokenSlot(repetition: number, definition: number, count: number, levels: number, before: number): number
  /** Passes `rows` rows from slot `from` on; writes the slot behind them, and how many rows have begun. */
  passRows(repetition: number, from: number, count: number, rows: number, out: number): void
  /** How many of `count` levels are at least `level`. */
  countAtLeast(levels: number, count: number, level: number): number
  /** Which elements of a leaf's array are values; returns how many elements there are. */
  leafBits(definition: number, count: number, level: number, present: number, bits: number): number
  /** The same for any array of at most `room` elements; -1 if there are more. */
  nodeBits(
    repetition: number,
    definition: number,
    count: number,
    depth: number,
    level: number,
    present: number,
    room: number,
    bits: number,
  ): number
  /** Offsets of an array of at most `room` lists; returns how many there are, or -1 if there are more. */
  listOffsets(
    repetition: number,
    definition: number,
    count: number,
    depth: number,
    level: number,
    inner: number,
    room: number,
    offsets: number,
  ): number
}
