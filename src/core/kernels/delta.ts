/** The DELTA encodings. */
export interface DeltaKernels {
  /** `count` 32-bit integers to `target`; returns the bytes used of [source, end), or -1 if malformed. */
  deltaToI32(source: number, end: number, count: number, target: number): number
  /** `count` 64-bit integers to `target`; returns the bytes used of [source, end), or -1 if malformed. */
  deltaToI64(source: number, end: number, count: number, target: number): number
  /**
   * Turns `count` lengths at `offsets` + 4 into offsets from 0, in place. Returns the last one, or -1 if a
   * length is negative or they exceed `limit` together.
   */
  lengthsToOffsets(offsets: number, count: number, limit: number): number
  /**
   * Offsets of `count` values made of the first `prefixes[i]` bytes of the one before and their own suffixes.
   * Returns the last one, -1 if a prefix is longer than that value, -2 if the offsets exceed 2^31 - 1.
   */
  prefixedOffsets(prefixes: number, suffixOffsets: number, count: number, offsets: number): number
  /** Joins prefixes and suffixes at `target`, where there is room for the last of those offsets. */
  joinPrefixed(prefixes: number, suffixOffsets: number, suffixes: number, count: number, target: number): void
}
