/** From Arrow's columns to Parquet's physical values. Bitmaps are given with the bit that they begin at. */
export interface CompactKernels {
  /** The values whose bit is set; returns their number. `out` may be `values`. */
  compact8(values: number, bits: number, from: number, count: number, out: number): number
  compact16(values: number, bits: number, from: number, count: number, out: number): number
  compact32(values: number, bits: number, from: number, count: number, out: number): number
  compact64(values: number, bits: number, from: number, count: number, out: number): number
  compactWide(values: number, width: number, bits: number, from: number, count: number, out: number): number
  countBits(bits: number, from: number, count: number): number
  /** Bits to bytes of 0 and 1. */
  unpackBits(bits: number, from: number, count: number, out: number): void
  /** Bytes of 0 and 1 to bits. */
  packBits(values: number, count: number, out: number): void
  /** Clears the bit of every code that names a null among the dictionary's `size` values. */
  clearNullCodes(
    codes: number,
    count: number,
    dictionaryBits: number,
    from: number,
    size: number,
    bits: number,
    to: number,
  ): void
  /** Integers of 1 or 2 bytes to 4. */
  widen(values: number, width: number, signed: boolean, count: number, out: number): void
  /** These return `count`, or the index of the first value whose result does not fit. */
  scale32(values: number, count: number, factor: number, out: number): number
  scale64(values: number, count: number, factor: number, out: number): number
  daysOfMillis(values: number, count: number, out: number): number
  /** Little-endian numbers of `from` bytes to `to` bytes, big-endian with `reverse`. */
  cutDecimal(values: number, from: number, count: number, to: number, reverse: boolean, out: number): number
  /** BYTE_STREAM_SPLIT. */
  splitStreams(values: number, width: number, count: number, out: number): void
}
