/**
 * Least and greatest of at least one value. Typed kernels write minimum and maximum, one after the other, at
 * `out` (32 bytes of room) and leave NaN out.
 */
export interface BoundsKernels {
  boundsI32(values: number, count: number, out: number): void
  boundsU32(values: number, count: number, out: number): void
  boundsI64(values: number, count: number, out: number): void
  boundsU64(values: number, count: number, out: number): void
  /** Minimum above maximum: all are NaN. */
  boundsF32(values: number, count: number, out: number): void
  boundsF64(values: number, count: number, out: number): void
  /** Bit patterns of half-precision floats; returns 0 if all are NaN. */
  boundsF16(values: number, count: number, out: number): number
  bounds8(values: number, count: number, out: number): void
  /** Writes two 32-bit indices. `signed`: big-endian two's complement of one length instead of bytes. */
  boundsSpans(spans: number, count: number, signed: boolean, out: number): void
}
