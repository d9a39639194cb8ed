import type { DataType } from 'apache-arrow'
import { valueType } from '../batch.ts'
import { BYTES, reprOf, type Value } from './types.ts'

/**
 * A bound from the bytes of Parquet's statistics (PLAIN, without a length prefix; parquet.thrift, Statistics),
 * as a value of the Arrow type that the column is read as. `byteArray` says that the physical type is a byte
 * array, fixed or not: decimals in those are big-endian. Undefined where the bytes do not fit the type, and for
 * NaN, which bounds nothing.
 */
export function boundFromBytes(encoded: DataType, bytes: Uint8Array, byteArray: boolean): Value | undefined {
  const type = valueType(encoded)
  const repr = reprOf(type)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  switch (repr) {
    case 'bytes':
      return bytes
    case 'bool':
      return bytes.length === 1 ? bytes[0] !== 0 : undefined
    case 'f32':
    case 'f64': {
      if (bytes.length !== BYTES[repr]) return undefined
      const value = repr === 'f32' ? view.getFloat32(0, true) : view.getFloat64(0, true)
      return Number.isNaN(value) ? undefined : value
    }
    case 'i128':
      return byteArray ? bigEndian(bytes) : littleEndian(view, false)
    case 'f16':
    case 'null':
    case 'opaque':
      return undefined
    default:
      return byteArray ? undefined : littleEndian(view, repr.startsWith('u'))
  }
}

/** INT32 or INT64, whatever the width of the logical type. */
function littleEndian(view: DataView, unsigned: boolean): bigint | undefined {
  if (view.byteLength === 4) return BigInt(unsigned ? view.getUint32(0, true) : view.getInt32(0, true))
  if (view.byteLength === 8) return unsigned ? view.getBigUint64(0, true) : view.getBigInt64(0, true)
  return undefined
}

/** Two's complement, the most significant byte first (LogicalTypes.md, DECIMAL). */
function bigEndian(bytes: Uint8Array): bigint | undefined {
  if (bytes.length === 0 || bytes.length > 32) return undefined
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes).toString('hex')}`))
}
