/**
 * Conversion of dense numbers. `kind`: 0 to 3 int8 to int64, 4 to 7 uint8 to uint64, 8 float32, 9 float64.
 * Kernels that return a number return the first row that fails, or -1; with `drop` they clear the row's bit in
 * `valid` instead. See `assembly/numbers.ts`.
 */
export interface NumberKernels {
  widenI64(kind: number, a: number, n: number, out: number): void
  widenF64(kind: number, a: number, n: number, out: number): void
  narrowI64(kind: number, a: number, n: number, valid: number, drop: number, out: number): number
  narrowF32(a: number, n: number, out: number): void
  roundF64(a: number, n: number, valid: number, drop: number, out: number): number
  rescaleI64(
    a: number,
    n: number,
    multiply: bigint,
    divide: bigint,
    valid: number,
    drop: number,
    out: number,
  ): number
  /** int64 that are equal just where the doubles are. */
  keysF64(a: number, n: number, out: number): void
}
