/** UTF-8 text by int32 offsets; see `assembly/text.ts`. */
export interface TextKernels {
  like(
    offsets: number,
    data: number,
    n: number,
    bytes: number,
    flags: number,
    m: number,
    prefix: number,
    shape: number,
    out: number,
  ): void
  countCharacters(offsets: number, data: number, n: number, out: number): void
  /** Returns 0, and a useless result, where a byte was not ASCII. */
  mapAscii(data: number, length: number, upper: number, out: number): number
  substring(
    offsets: number,
    data: number,
    n: number,
    start: number,
    length: number,
    outOffsets: number,
    out: number,
  ): void
  /** Returns the bytes needed. */
  concatOffsets(a: number, aStride: number, b: number, bStride: number, n: number, out: number): number
  concatBytes(
    a: number,
    aStride: number,
    aData: number,
    b: number,
    bStride: number,
    bData: number,
    n: number,
    out: number,
  ): void
  pickOffsets(
    mask: number,
    a: number,
    aStride: number,
    b: number,
    bStride: number,
    n: number,
    out: number,
  ): number
  pickBytes(
    mask: number,
    a: number,
    aStride: number,
    aData: number,
    b: number,
    bStride: number,
    bData: number,
    n: number,
    out: number,
  ): void
}
