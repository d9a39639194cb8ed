/** Work on dictionary codes, int32 and below `size` once `checkCodes` has copied them; see `assembly/codes.ts`. */
export interface CodeKernels {
  /** Returns the first row whose code is not below `size`, or -1. Null rows get the code `size`. */
  checkCodes(codes: number, width: number, valid: number, n: number, size: number, out: number): number
  /** Writes up to one int32 more than it returns: room for `n` + 1. */
  selectCodes(codes: number, n: number, flags: number, out: number): number
  countCodes(codes: number, n: number, flags: number): number
  flagCodes(codes: number, n: number, flags: number, out: number): void
  lookUp(codes: number, n: number, values: number, width: number, out: number): void
  /** Returns the bytes of text needed. */
  lookUpOffsets(codes: number, n: number, offsets: number, out: number): number
  lookUpBytes(codes: number, n: number, offsets: number, bytes: number, out: number): void
}
