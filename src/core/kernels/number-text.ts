/** Reads rows from `from` on; returns the first that it leaves to the caller, or `n`. */
type Parse = (offsets: number, data: number, from: number, n: number, valid: number, out: number) => number

/** Integers and dates to text and back; see `assembly/number-text.ts`. */
export interface NumberTextKernels {
  /** At most 20 bytes a row; returns the bytes written. */
  textOfI64(a: number, n: number, valid: number, offsets: number, out: number): number
  /** Into int64. */
  parseI64: Parse
  /** Into int32. */
  parseDays: Parse
}
