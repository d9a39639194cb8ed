import type { Region } from '../../core/arena.ts'
import { intoArena } from './output.ts'

const MAGIC = 0xfd2fb528
/** Block_Maximum_Size where the window is large enough (RFC 8878, 3.1.1.2.3). */
const MAX_BLOCK = 128 * 1024
const RAW = 0
const RLE = 1
const RESERVED = 3
/** Bytes of the dictionary's number and of the content's size, by their flags. */
const DICTIONARY_BYTES = [0, 1, 2, 4]
const SIZE_BYTES = [0, 2, 4, 8]

/**
 * Whether `input` is, by its headers, one Zstandard frame from its first byte to its last (RFC 8878, 3.1.1), of
 * which `size` bytes can come. False for anything else: cut short, followed by more, skippable, of another size,
 * or with blocks that cannot hold as much. Then nothing is allocated that the input could not fill, and a decoder
 * that has read all of it is back at its beginning, unless it reported an error.
 */
export function isFrameOf(input: Uint8Array, size: number): boolean {
  const end = input.length
  if (end < 5 || littleEndian(input, 0, 4) !== MAGIC) return false
  const flags = input[4]!
  const isSingle = (flags & 32) !== 0
  const sizeBytes = Math.max(SIZE_BYTES[flags >> 6]!, isSingle ? 1 : 0)
  let position = 5 + (isSingle ? 0 : 1) + DICTIONARY_BYTES[flags & 3]!
  if (position + sizeBytes > end) return false
  if (sizeBytes > 0 && littleEndian(input, position, sizeBytes) + (sizeBytes === 2 ? 256 : 0) !== size) {
    return false
  }
  position += sizeBytes

  let most = 0
  let isLast = false
  while (!isLast) {
    if (position + 3 > end) return false
    const header = littleEndian(input, position, 3)
    const type = (header >> 1) & 3
    const blockSize = header >> 3
    if (type === RESERVED) return false
    isLast = (header & 1) !== 0
    position += 3 + (type === RLE ? 1 : blockSize)
    most += type === RAW || type === RLE ? Math.min(blockSize, MAX_BLOCK) : MAX_BLOCK
  }
  const checksumBytes = (flags & 4) === 0 ? 0 : 4
  return position + checksumBytes === end && size <= most
}

/** A frame of `input` as it is, in raw blocks: as good as no compression where a codec has to be named. */
export function storedFrame(input: Uint8Array, region: Region): Uint8Array {
  const { arena } = region
  const source = intoArena(input, region)
  const { length } = input
  const blocks = Math.max(1, Math.ceil(length / MAX_BLOCK))
  const size = STORED_HEADER + blocks * BLOCK_HEADER + length
  const address = region.alloc(size)
  const output = arena.u8(address, size)
  const view = new DataView(output.buffer, address, size)
  view.setUint32(0, MAGIC, true)
  output[4] = STORED_FLAGS
  output[5] = STORED_WINDOW
  view.setUint32(6, length, true)
  let position = STORED_HEADER
  for (let block = 0; block < blocks; block++) {
    const start = block * MAX_BLOCK
    const count = Math.min(MAX_BLOCK, length - start)
    const isLast = block === blocks - 1
    view.setUint16(position, ((count << 3) | Number(isLast)) & 0xffff, true)
    output[position + 2] = count >> 13
    position += BLOCK_HEADER
    arena.kernels.copy(source + start, address + position, count)
    position += count
  }
  return output
}

/** The size in four bytes, no checksum, no dictionary; a window of one block, which is all that raw ones need. */
const STORED_FLAGS = 0b10_0_00000
const STORED_WINDOW = (17 - 10) << 3
const STORED_HEADER = 10
const BLOCK_HEADER = 3

function littleEndian(bytes: Uint8Array, start: number, length: number): number {
  let value = 0
  for (let i = length - 1; i >= 0; i--) value = value * 256 + bytes[start + i]!
  return value
}
