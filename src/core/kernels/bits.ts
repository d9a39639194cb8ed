/** Bitmaps: least significant bit first, as in Arrow's validity buffers. */
export interface BitKernels {
  /** Number of set bits among the first `count` of the bitmap at `bits`. */
  popcount(bits: number, count: number): number
  /** Copies `count` bits from bit `from` of `source` to bit `to` of `target`; other bits of `target` stay. */
  copyBits(source: number, from: number, target: number, to: number, count: number): void
  /** Sets (`value` 1) or clears (0) `count` bits from bit `to` of `target` on; other bits stay. */
  fillBits(target: number, to: number, count: number, value: 0 | 1): void
}
