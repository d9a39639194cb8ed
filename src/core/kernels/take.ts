/** Taking rows by index (32-bit, unsigned), and ordering rows by a small code. */
export interface TakeKernels {
  take8(values: number, indices: number, count: number, out: number): void
  take16(values: number, indices: number, count: number, out: number): void
  take32(values: number, indices: number, count: number, out: number): void
  take64(values: number, indices: number, count: number, out: number): void
  take128(values: number, indices: number, count: number, out: number): void
  takeWide(values: number, width: number, indices: number, count: number, out: number): void
  /** Returns the number of set bits taken. */
  takeBits(bits: number, bitOffset: number, indices: number, count: number, out: number): number
  /** Returns the number of bytes that {@link takeBytes} will write; beyond 2^31 the offsets are wrong. */
  takeOffsets(offsets: number, indices: number, count: number, out: number): number
  takeBytes(
    bytes: number,
    offsets: number,
    indices: number,
    count: number,
    outOffsets: number,
    out: number,
  ): void
  countingSort(codes: number, count: number, buckets: number, starts: number, order: number): void
  /** Where runs of equal codes begin, to `starts`; returns how many, or -1 if there are more than `most`. */
  codeRuns(codes: number, count: number, most: number, starts: number): number
  pairCodes(codes: number, more: number, count: number, out: number): void
  mapCodes(
    codes: number,
    bits: number,
    bitOffset: number,
    table: number,
    nullCode: number,
    count: number,
    out: number,
  ): void
}
