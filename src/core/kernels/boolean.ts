/** Three-valued logic and other work on bitmaps; a validity of 0 means "no nulls". See `assembly/boolean.ts`. */
export interface BooleanKernels {
  andKleene(
    a: number,
    aValid: number,
    b: number,
    bValid: number,
    n: number,
    out: number,
    outValid: number,
  ): void
  orKleene(
    a: number,
    aValid: number,
    b: number,
    bValid: number,
    n: number,
    out: number,
    outValid: number,
  ): void
  andBits(a: number, b: number, n: number, out: number): void
  /** Not `a` xor `b`; a `b` of 0 is all zeroes. */
  notXorBits(a: number, b: number, n: number, out: number): void
  /** By the bits of `mask` those of `a` or of `b`; any of them 0 is all ones. */
  pickBits(mask: number, a: number, b: number, n: number, out: number): void
  /** Rows set in both, as int32, at most `n`; returns their number. */
  indicesOf(bits: number, valid: number, n: number, out: number): number
}
