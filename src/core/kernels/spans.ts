/** Byte strings as spans: a pair of 32-bit numbers, address and length, per value. */
export interface SpanKernels {
  /**
   * Spans of the valid values among `count`, from `count + 1` offsets, of which `base` stands for the address
   * `data`, and a bitmap (0: all valid). Returns their number, or -1 for offsets that leave the `bytes` bytes.
   */
  spansOfOffsets: SpansOfOffsets
  /** The same for 64-bit offsets. */
  spansOfLargeOffsets: SpansOfOffsets
  /** Spans of the values that codes name; returns `count`, or -1 for offsets that leave the data. */
  spansOfCodes(
    offsets: number,
    offsetWidth: 4 | 8,
    data: number,
    bytes: number,
    codes: number,
    count: number,
    out: number,
  ): number
  spansOfFixed(values: number, width: number, count: number, out: number): void
  /** Total length. */
  spanBytes(spans: number, count: number): number
  /** Lengths as 32-bit numbers. */
  spanLengths(spans: number, count: number, out: number): void
  /** The bytes, one value after the other; returns how many. */
  copySpans(spans: number, count: number, out: number): number
  /** PLAIN encoding of BYTE_ARRAY; returns the number of bytes. */
  encodePlainSpans(spans: number, count: number, out: number): number
  /** Length of the prefix that each value shares with the one before, and spans of the rest. */
  splitPrefixes(spans: number, count: number, prefixes: number, suffixes: number): void
}

export type SpansOfOffsets = (
  offsets: number,
  data: number,
  base: number,
  bytes: number,
  bits: number,
  from: number,
  count: number,
  out: number,
) => number
