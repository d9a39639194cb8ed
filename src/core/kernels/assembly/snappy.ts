// Snappy's raw format (google/snappy, format_description.txt), as Parquet pages hold it: no framing.
import { copyMatch } from './lz'

/**
 * Decompresses [source, end) to [target, targetEnd), which it has to fill exactly. Returns 0, or -1 if the
 * input is malformed or of another length.
 */
export function snappyDecompress(source: usize, end: usize, target: usize, targetEnd: usize): i32 {
  const start = target
  let declared: u64 = 0
  let shift: u64 = 0
  while (true) {
    if (source >= end || shift > 28) return -1
    const byte = load<u8>(source++)
    declared |= (<u64>(byte & 127)) << shift
    if (byte < 128) break
    shift += 7
  }
  if (declared != <u64>(targetEnd - target)) return -1
  while (source < end) {
    const tag = <u32>load<u8>(source++)
    const kind = tag & 3
    if (kind == 0) {
      let length = <u64>(tag >> 2) + 1
      if (length > 60) {
        const bytes = <usize>(length - 60)
        if (bytes > end - source) return -1
        length = 1
        for (let i: usize = 0; i < bytes; i++) length += (<u64>load<u8>(source + i)) << <u64>(i << 3)
        source += bytes
      }
      if (length > <u64>(end - source) || length > <u64>(targetEnd - target)) return -1
      const literal = <usize>length
      if (literal <= 16 && end - source >= 16 && targetEnd - target >= 16) {
        v128.store(target, v128.load(source))
      } else memory.copy(target, source, literal)
      source += literal
      target += literal
    } else {
      let length: usize
      let offset: usize
      if (kind == 1) {
        if (source >= end) return -1
        length = 4 + ((tag >> 2) & 7)
        offset = ((tag & 0xe0) << 3) | <u32>load<u8>(source++)
      } else {
        length = (tag >> 2) + 1
        const bytes: usize = kind == 2 ? 2 : 4
        if (bytes > end - source) return -1
        offset = kind == 2 ? <usize>load<u16>(source) : <usize>load<u32>(source)
        source += bytes
      }
      if (offset == 0 || offset > target - start || length > targetEnd - target) return -1
      copyMatch(target, offset, length, targetEnd)
      target += length
    }
  }
  return target == targetEnd ? 0 : -1
}
