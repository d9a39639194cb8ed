/** Kernels of the LZ77 family of codecs. */
export interface LzKernels {
  /** Snappy's raw format; fills [target, targetEnd) and returns 0, or -1 if the input is malformed. */
  snappyDecompress(source: number, end: number, target: number, targetEnd: number): number
}
