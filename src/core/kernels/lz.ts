/** Kernels of the LZ77 family of codecs. */
export interface LzKernels {
  /** Snappy's raw format; fills [target, targetEnd) and returns 0, or -1 if the input is malformed. */
  snappyDecompress(source: number, end: number, target: number, targetEnd: number): number
  /**
   * Compresses [source, end) to `target`, where there is room for 32 + length + length / 6 bytes; `table` is
   * 32 KiB. Returns the bytes written.
   */
  snappyCompress(source: number, end: number, target: number, table: number): number
  /** LZ4's block format; fills [target, targetEnd) and returns 0, or -1 if the input is malformed. */
  lz4Decompress(source: number, end: number, target: number, targetEnd: number): number
  /**
   * Compresses [source, end) to `target`, where there is room for length + length / 255 + 16 bytes; `table` is
   * 16 KiB of zeroes. Returns the bytes written.
   */
  lz4Compress(source: number, end: number, target: number, table: number): number
}
