/** Parquet's RLE / bit-packing hybrid. All return -1 if the runs do not yield `count` values by `end`. */
export interface RleKernels {
  /** Values of `bitWidth` bits to 32-bit integers; returns the largest, to be read as unsigned. */
  rleToI32(source: number, end: number, bitWidth: number, count: number, target: number): number
  /** One-bit values to bits of `target` from bit `to` on; returns how many are set. */
  rleToBits(source: number, end: number, count: number, target: number, to: number): number
  /** The same for the deprecated BIT_PACKED levels, most significant bit first. */
  packedToBits(source: number, end: number, count: number, target: number, to: number): number
}
