import type { Region } from '../../core/arena.ts'
import { SluiceError } from '../../core/errors.ts'
import type { PageCodec } from './codec.ts'
import { checkLength, intoArena, malformed } from './output.ts'

/** A byte of input makes 255 of output at most. */
const MAX_RATIO = 255

/** LZ4's block format without any frame, by our own kernels. */
export const lz4Raw: PageCodec = {
  decompress(input: Uint8Array, size: number, region: Region): number {
    if (size > input.length * MAX_RATIO) checkLength(input.length * MAX_RATIO, size)
    const source = intoArena(input, region)
    const target = region.alloc(size)
    if (region.arena.kernels.lz4Decompress(source, source + input.length, target, target + size) < 0) {
      throw malformed('LZ4')
    }
    return target
  },
  compress(input: Uint8Array, region: Region): Uint8Array {
    const { arena } = region
    const source = intoArena(input, region)
    const target = region.alloc(input.length + Math.ceil(input.length / 255) + 16)
    const table = region.zeroed(16 * 1024)
    const size = arena.kernels.lz4Compress(source, source + input.length, target, table)
    return arena.u8(target, size)
  },
}

/**
 * The deprecated LZ4 of the format, which was never defined: Hadoop's framing (each block after its
 * decompressed and its compressed size, big-endian), or else a block without a frame.
 */
export const lz4Hadoop: PageCodec = {
  decompress(input: Uint8Array, size: number, region: Region): number {
    const blocks = hadoopBlocks(input, size)
    if (blocks === undefined) return lz4Raw.decompress(input, size, region)
    const { kernels } = region.arena
    const source = intoArena(input, region)
    const target = region.alloc(size)
    let next = target
    for (const { start, end, size: blockSize } of blocks) {
      if (kernels.lz4Decompress(source + start, source + end, next, next + blockSize) < 0)
        throw malformed('LZ4')
      next += blockSize
    }
    return target
  },
  compress() {
    throw new SluiceError('unsupported', 'LZ4 is deprecated and only read', {
      option: 'compression',
      hint: "Write 'LZ4_RAW' instead.",
    })
  },
}

/** The blocks of Hadoop's framing, if that is what the sizes add up to. */
function hadoopBlocks(
  input: Uint8Array,
  size: number,
): { start: number; end: number; size: number }[] | undefined {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength)
  const blocks: { start: number; end: number; size: number }[] = []
  let position = 0
  let total = 0
  while (position + 8 <= input.length) {
    const blockSize = view.getUint32(position)
    const start = position + 8
    const end = start + view.getUint32(position + 4)
    total += blockSize
    if (end > input.length || total > size || blockSize > (end - start) * MAX_RATIO) return undefined
    blocks.push({ start, end, size: blockSize })
    position = end
  }
  return position === input.length && total === size ? blocks : undefined
}
