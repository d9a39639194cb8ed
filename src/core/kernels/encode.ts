/** Parquet's encodings. All return the number of bytes written; the bounds stand at the head of their files. */
export interface EncodeKernels {
  /** RLE/bit-packed hybrid of 32-bit values that fit in `width` bits. */
  encodeHybrid(values: number, count: number, width: number, out: number): number
  /** The same of bits, `from` being the first. */
  encodeHybridBits(bits: number, from: number, count: number, out: number): number
  /** DELTA_BINARY_PACKED. */
  encodeDelta32(values: number, count: number, out: number): number
  encodeDelta64(values: number, count: number, out: number): number
}
