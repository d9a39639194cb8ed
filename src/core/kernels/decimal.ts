/** Decimals of 128 bits; kernels that return a number return the first row that fails, or -1. See `assembly/decimal.ts`. */
export interface DecimalKernels {
  decimalOfI64(a: number, n: number, unsigned: number, out: number): void
  decimalOfF64(a: number, n: number, scale: number, valid: number, drop: number, out: number): number
  f64OfDecimal(a: number, n: number, scale: number, out: number): void
  i64OfDecimal(a: number, n: number, unsigned: number, valid: number, drop: number, out: number): number
  /** Times 10^exponent, rounded where that is negative. */
  rescaleDecimal(a: number, n: number, exponent: number, valid: number, drop: number, out: number): number
  /** The first row with more digits than `precision`. */
  limitDecimal(a: number, n: number, precision: number, valid: number, drop: number): number
  /** `operator`: 0 to 2 for + - *. */
  arithmeticDecimal(
    operator: number,
    a: number,
    aStride: number,
    b: number,
    bStride: number,
    valid: number,
    n: number,
    out: number,
  ): number
}
