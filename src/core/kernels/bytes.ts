/** Byte arrays: Parquet's layouts to Arrow's offsets and data. */
export interface ByteKernels {
  /** Copies within the arena; several times as fast as `set` on a view of shared memory. */
  copy(source: number, target: number, length: number): void
  /** Sets `length` bytes to 0. */
  clear(target: number, length: number): void
  /**
   * PLAIN byte arrays in [source, end): writes the `count` + 1 offsets of the values without their length
   * prefixes. Returns the last offset, or -1 if a value crosses `end`.
   */
  plainOffsets(source: number, end: number, count: number, offsets: number): number
  /**
   * Copies `count` byte arrays to [target, targetEnd), which is as long as they are together. The first begins
   * at `source`, `gap` bytes of something else follow each, `offsets` gives their lengths.
   */
  copyBytes(
    source: number,
    sourceEnd: number,
    gap: number,
    offsets: number,
    count: number,
    target: number,
    targetEnd: number,
  ): void
  /** Writes the `count` + 1 offsets of the values that `codes` select; returns the last, -1 if over 2^31 - 1. */
  gatherOffsets(codes: number, count: number, dictionaryOffsets: number, offsets: number): number
  /** Copies the values that `codes` select from a dictionary to [target, targetEnd), which they fill. */
  gatherBytes(
    codes: number,
    count: number,
    dictionaryOffsets: number,
    dictionary: number,
    dictionaryEnd: number,
    target: number,
    targetEnd: number,
  ): void
  /** The index from `data` of a byte that makes one of `count` values invalid UTF-8, or -1. */
  invalidUtf8(data: number, offsets: number, count: number): number
}
