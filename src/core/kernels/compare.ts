/** `less` ? a < b : a = b; `flip` 255 inverts. A stride of 0 repeats one value; the result is a bitmap. */
type Compare = (
  less: number,
  flip: number,
  a: number,
  aStride: number,
  b: number,
  bStride: number,
  n: number,
  out: number,
) => void

/** Sets the bits of rows whose order (0 less, 1 equal, 2 greater) has its bit in `wanted`. */
type CompareOrder = (
  wanted: number,
  a: number,
  aStride: number,
  b: number,
  bStride: number,
  n: number,
  out: number,
) => void

/** Comparison into bitmaps; see `assembly/compare.ts`. */
export interface CompareKernels {
  compareI8: Compare
  compareI16: Compare
  compareI32: Compare
  compareI64: Compare
  compareU8: Compare
  compareU16: Compare
  compareU32: Compare
  compareU64: Compare
  compareF32: Compare
  compareF64: Compare
  compareI128: CompareOrder
  compareI64F64: CompareOrder
  compareU64F64: CompareOrder
  compareBytes(
    wanted: number,
    aOffsets: number,
    aStride: number,
    aBytes: number,
    bOffsets: number,
    bStride: number,
    bBytes: number,
    n: number,
    out: number,
  ): void
  /** Membership in `m` ascending values. */
  inI64(a: number, n: number, list: number, m: number, out: number): void
  inBytes(
    offsets: number,
    bytes: number,
    n: number,
    listOffsets: number,
    listBytes: number,
    m: number,
    out: number,
  ): void
}
