/** Split-block bloom filters of `blocks` blocks of 32 bytes, with XXH64 of the values' bytes. */
export interface BloomKernels {
  /** Puts `count` values of `width` bytes in. */
  bloomFixed(values: number, width: number, count: number, filter: number, blocks: number): void
  /** Puts `count` byte strings in. */
  bloomSpans(spans: number, count: number, filter: number, blocks: number): void
}
