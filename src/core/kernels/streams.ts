/** BYTE_STREAM_SPLIT. */
export interface StreamKernels {
  /** Joins `width` streams of `count` bytes at `source` to `count` values of `width` bytes at `target`. */
  joinStreams(source: number, count: number, width: number, target: number): void
}
