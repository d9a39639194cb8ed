import { isSluiceError } from '../core/errors.ts'
import type { Value } from '../core/expressions/types.ts'
import type { PhysicalType, SchemaElement } from './metadata.ts'
import { ThriftReader, ThriftType } from './thrift-reader.ts'
import { ThriftWriter } from './thrift-writer.ts'
import { xxh64 } from './xxh64.ts'

/** Bytes that hold any header of a bloom filter. */
export const BLOOM_HEADER = 64
/** Bytes of a block: eight words of 32 bits. */
export const BLOOM_BLOCK = 32

/** One odd number a word of a block (BloomFilter.md). */
const SALT = [
  0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31,
] as const

/** A split-block bloom filter over XXH64, as in BloomFilter.md of the format. */
export class BloomFilter {
  readonly #words: DataView
  readonly #blocks: bigint

  /** @param bits whole blocks, at least one */
  constructor(bits: Uint8Array) {
    this.#words = new DataView(bits.buffer, bits.byteOffset, bits.byteLength)
    this.#blocks = BigInt(bits.length / BLOOM_BLOCK)
  }

  /** False if no value of that hash was put in. */
  mayHold(hash: bigint): boolean {
    // The upper half chooses the block, the lower one a bit of each of its words.
    const block = BLOOM_BLOCK * Number(((hash >> 32n) * this.#blocks) >> 32n)
    const key = Number(hash & 0xffffffffn)
    return SALT.every((salt, word) => {
      const bit = Math.imul(key, salt) >>> 27
      return ((this.#words.getUint32(block + 4 * word, true) >>> bit) & 1) === 1
    })
  }
}

/** How many bytes a filter and its header take; undefined for a header of another kind, or none. */
export function bloomFilterSize(bytes: Uint8Array): number | undefined {
  const header = readHeader(bytes)
  return header && header.length + header.bits
}

/** Opens a filter; undefined if it is of another kind, or damaged as far as can be seen. */
export function openBloomFilter(bytes: Uint8Array): BloomFilter | undefined {
  const header = readHeader(bytes)
  if (header === undefined || header.length + header.bits > bytes.length) return undefined
  return new BloomFilter(bytes.subarray(header.length, header.length + header.bits))
}

/** `BloomFilterHeader`: the filter's bytes follow. */
export function bloomHeader(bits: number): Uint8Array {
  const w = new ThriftWriter(BLOOM_HEADER)
  w.i32(1, bits)
  for (const union of [2, 3, 4]) w.struct(union, () => w.struct(1, () => {}))
  return w.finish()
}

/** Algorithm, hash and compression have one value each so far, which is field 1 of a union. */
function readHeader(bytes: Uint8Array): { length: number; bits: number } | undefined {
  const reader = new ThriftReader(bytes)
  let bits = -1
  const known = new Set<number>()
  try {
    reader.struct((id, type) => {
      if (id === 1 && type === ThriftType.I32) bits = reader.i32()
      else if (id >= 2 && id <= 4 && type === ThriftType.STRUCT) {
        reader.struct(choice => {
          if (choice === 1) known.add(id)
          return false
        })
      } else return false
    })
  } catch (error) {
    if (isSluiceError(error) && error.code === 'corrupt') return undefined
    throw error
  }
  const sound = bits >= BLOOM_BLOCK && bits % BLOOM_BLOCK === 0 && known.size === 3
  return sound ? { length: reader.position, bits } : undefined
}

/**
 * Whether a filter knows that a column lacks a value. It is asked for the value's PLAIN bytes, and says nothing of
 * values that have several forms, such as NaN.
 */
export function lacksValue(filter: BloomFilter, element: SchemaElement, value: Value): boolean {
  const forms = plainForms(element, value)
  return forms?.every(bytes => !filter.mayHold(xxh64(bytes))) ?? false
}

/** The PLAIN bytes that a value may have in a column; undefined if they are not known. */
function plainForms(element: SchemaElement, value: Value): Uint8Array[] | undefined {
  const { type } = element
  if (value instanceof Uint8Array) {
    return type === 'BYTE_ARRAY' || type === 'FIXED_LEN_BYTE_ARRAY' ? [value] : undefined
  }
  if (typeof value === 'number') {
    if (Number.isNaN(value) || (type !== 'DOUBLE' && type !== 'FLOAT')) return undefined
    return (value === 0 ? [0, -0] : [value]).map(form => floatBytes(type, form))
  }
  if (typeof value !== 'bigint') return undefined
  if (type === 'INT32' || type === 'INT64') return [integerBytes(type, value)]
  // A decimal of fixed length is two's complement, the most significant byte first.
  if (type !== 'FIXED_LEN_BYTE_ARRAY' || element.typeLength === undefined) return undefined
  const bytes = new Uint8Array(element.typeLength)
  for (let i = bytes.length - 1, rest = value; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 255n)
  return [bytes]
}

function floatBytes(type: PhysicalType, value: number): Uint8Array {
  return new Uint8Array((type === 'FLOAT' ? Float32Array.of(value) : Float64Array.of(value)).buffer)
}

function integerBytes(type: PhysicalType, value: bigint): Uint8Array {
  const bytes = new Uint8Array(type === 'INT32' ? 4 : 8)
  for (let i = 0, rest = value; i < bytes.length; i++, rest >>= 8n) bytes[i] = Number(rest & 255n)
  return bytes
}
