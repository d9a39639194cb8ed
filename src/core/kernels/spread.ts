/** Between the dense values of a page and rows with nulls, and from dictionary codes to values. */
export interface SpreadKernels {
  /**
   * Moves the `dense` values of `width` bytes at the start of `values` to the rows whose bit of `validity` is
   * set, in place, and clears the other rows.
   */
  spreadValues(values: number, width: number, validity: number, rows: number, dense: number): void
  /** The same for bits, from `source` to bits of `target` from bit `to` on. */
  spreadBits(source: number, validity: number, rows: number, target: number, to: number): void
  /**
   * Offsets of dense values to those of `rows` rows, whose validity begins at bit `from`: writes `rows` + 1
   * offsets that begin at `base`.
   */
  spreadOffsets(
    offsets: number,
    validity: number,
    from: number,
    rows: number,
    target: number,
    base: number,
  ): void
  /** Copies `count` offsets with `shift` added. */
  shiftOffsets(offsets: number, count: number, shift: number, target: number): void
  /** Looks `count` codes, already range-checked, up in a dictionary of values of `width` bytes. */
  gatherValues(codes: number, count: number, dictionary: number, width: number, target: number): void
}
