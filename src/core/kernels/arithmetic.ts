/** Returns the first row that overflows and is not null, or -1. A stride of 0 repeats one value. */
type Checked = (
  a: number,
  aStride: number,
  b: number,
  bStride: number,
  valid: number,
  n: number,
  out: number,
) => number

/** Arithmetic; see `assembly/arithmetic.ts`. */
export interface ArithmeticKernels {
  addI64: Checked
  subtractI64: Checked
  multiplyI64: Checked
  /** Clears the bits in `outValid` of rows that divide by 0. */
  remainderI64(
    a: number,
    aStride: number,
    b: number,
    bStride: number,
    n: number,
    out: number,
    outValid: number,
  ): void
  /** `operator`: 0 to 4 for + - * / %. */
  arithmeticF64(
    operator: number,
    a: number,
    aStride: number,
    b: number,
    bStride: number,
    n: number,
    out: number,
  ): void
  /** By the bits of `mask` the values of `a` or of `b`. */
  pick(
    mask: number,
    a: number,
    aStride: number,
    b: number,
    bStride: number,
    n: number,
    width: number,
    out: number,
  ): void
}
