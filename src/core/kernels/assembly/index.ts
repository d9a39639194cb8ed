export * from './aggregate'
export * from './arithmetic'
export * from './assemble'
export { copyBits, fillBits, popcount } from './bits'
export { bloomFixed, bloomSpans } from './bloom'
export * from './boolean'
export * from './bounds'
export * from './bytes'
export * from './chosen'
export * from './codes'
export * from './compact'
export * from './compare'
export * from './convert'
export * from './decimal'
export * from './dictionary'
export { encodeDelta32, encodeDelta64 } from './encode-delta'
export { encodeHybrid, encodeHybridBits } from './encode-hybrid'
export * from './number-text'
export * from './numbers'
export * from './delta'
export * from './lz4'
export { packedToBits, rleToBits, rleToI32 } from './rle'
export * from './shred'
export * from './snappy'
export {
  copySpans,
  encodePlainSpans,
  spanBytes,
  spanLengths,
  spansOfCodes,
  spansOfFixed,
  spansOfLargeOffsets,
  spansOfOffsets,
  splitPrefixes,
} from './spans'
export * from './spread'
export * from './temporal'
export * from './text'
export * from './streams'
export * from './take'
