/** Values of a page by position: ascending 32-bit numbers below the number of values. */
export interface ChosenKernels {
  /**
   * For the rows at `positions` that are valid, the position of their dense value; bits of `bits`, cleared before,
   * say which are. Returns how many.
   */
  densePositions(validity: number, positions: number, count: number, dense: number, bits: number): number
  /**
   * Values of the RLE / bit-packing hybrid as 32-bit integers; returns the largest, to be read as unsigned, or -1
   * if the runs end before the last position.
   */
  rleChosen(
    source: number,
    end: number,
    bitWidth: number,
    positions: number,
    count: number,
    target: number,
  ): number
  /** Bytes that {@link chosenPlain} writes. */
  chosenPlainSize(offsets: number, positions: number, count: number): number
  /** Byte arrays, each behind its length of 4 bytes. */
  chosenPlain(
    data: number,
    gap: number,
    offsets: number,
    positions: number,
    count: number,
    target: number,
  ): void
}
