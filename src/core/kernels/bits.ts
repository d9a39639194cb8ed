/** Bitmaps: least significant bit first, as in Arrow's validity buffers. */
export interface BitKernels {
  /** Number of set bits among the first `count` of the bitmap at `bits`. */
  popcount(bits: number, count: number): number
}
