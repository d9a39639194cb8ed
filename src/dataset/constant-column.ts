import { Data, DataType, Dictionary, Int32, Vector } from 'apache-arrow'
import type { Region } from '../core/arena.ts'
import { nullColumn, type TypedArrayConstructor } from '../core/take.ts'
import type { PartitionValue } from './partition-types.ts'

/** A column that has one value in every row: a partition key's. Text is dictionary-encoded. */
export function constantColumn(type: DataType, value: PartitionValue, rows: number, region: Region): Data {
  if (value === null) return nullColumn(type, rows, region)
  const { arena } = region
  const none = new Uint8Array(0)
  if (DataType.isUtf8(type)) {
    const text = new TextEncoder().encode(String(value))
    const bytes = arena.u8(region.alloc(text.length), text.length)
    bytes.set(text)
    const offsets = arena.i32(region.alloc(8), 2)
    offsets.set([0, text.length])
    const dictionary = new Vector([new Data(type, 0, 1, 0, { 0: offsets, 1: bytes, 2: none } as never)])
    const codes = arena.i32(region.zeroed(rows * 4), rows)
    const encoded = new Dictionary(type, new Int32())
    return new Data(encoded, 0, rows, 0, { 1: codes, 2: none } as never, [], dictionary)
  }
  if (DataType.isBool(type)) {
    const length = (rows + 7) >> 3
    const bits = arena.u8(region.alloc(length), length).fill(value === true ? 255 : 0)
    return new Data(type, 0, rows, 0, { 1: bits, 2: none } as never)
  }
  if (DataType.isDecimal(type)) {
    const words = arena.i32(region.alloc((rows * type.bitWidth) >> 3), (rows * type.bitWidth) >> 5)
    const values = new Uint32Array(words.buffer, words.byteOffset, words.length)
    const stride = type.bitWidth >> 5
    for (let word = 0, rest = BigInt(value); word < stride; word++, rest >>= 32n)
      values[word] = Number(rest & 0xffffffffn)
    if (rows > 1) for (let at = stride; at < values.length; at++) values[at] = values[at - stride]!
    return new Data(type, 0, rows, 0, { 1: values, 2: none } as never)
  }
  const view = type.ArrayType as unknown as TypedArrayConstructor
  const address = region.alloc(rows * view.BYTES_PER_ELEMENT)
  const values = new view(arena.buffer, address, rows) as ArrayBufferView & { fill(value: unknown): unknown }
  values.fill(value)
  return new Data(type, 0, rows, 0, { 1: values, 2: none } as never)
}
