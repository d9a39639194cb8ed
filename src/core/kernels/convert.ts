/** Physical values of Parquet to Arrow's layout. Source and target do not overlap. */
export interface ConvertKernels {
  /** 32-bit integers to the low 8 bits of each. */
  narrowTo8(source: number, count: number, target: number): void
  /** 32-bit integers to the low 16 bits of each. */
  narrowTo16(source: number, count: number, target: number): void
  /** Signed 32-bit integers to `width` bytes (16 or 32). */
  widen32(source: number, count: number, width: number, target: number): void
  /** Signed 64-bit integers to `width` bytes (16 or 32). */
  widen64(source: number, count: number, width: number, target: number): void
  /** INT96 to nanoseconds since 1970. */
  int96ToNanoseconds(source: number, count: number, target: number): void
  /** The way back: 12 bytes for each. */
  nanosecondsToInt96(source: number, count: number, target: number): void
  /** Big-endian integers of `length` bytes to `width` bytes (16 or 32); -1 if one does not fit. */
  fixedDecimals(source: number, count: number, length: number, width: number, target: number): number
  /** The same for byte arrays, `gap` bytes between them, with lengths by `offsets`. */
  variableDecimals(
    source: number,
    gap: number,
    offsets: number,
    count: number,
    width: number,
    target: number,
  ): number
}
