/** Element types of the compact protocol. */
export const THRIFT = { bool: 1, i8: 3, i16: 4, i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const
export type ThriftType = keyof typeof THRIFT

const BOOL_FALSE = 2
const utf8 = new TextEncoder()

/**
 * Writes one struct in Thrift's compact protocol
 * (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md). Field methods take the
 * field's id and its value and write nothing for `undefined`: an optional field that is absent. Ids must
 * ascend within a struct, which keeps every field header at one byte.
 */
export class ThriftWriter {
  #bytes: Uint8Array
  #length = 0
  #lastId = 0

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity)
  }

  bool(id: number, value: boolean | undefined): void {
    if (value !== undefined) this.#header(id, value ? THRIFT.bool : BOOL_FALSE)
  }

  i8(id: number, value: number | undefined): void {
    if (value === undefined) return
    this.#header(id, THRIFT.i8)
    this.#byte(value & 0xff)
  }

  i16(id: number, value: number | undefined): void {
    this.#integer(id, THRIFT.i16, value)
  }

  i32(id: number, value: number | undefined): void {
    this.#integer(id, THRIFT.i32, value)
  }

  /** A 64-bit field; values are counts and offsets below 2^53. */
  i64(id: number, value: number | undefined): void {
    this.#integer(id, THRIFT.i64, value)
  }

  binary(id: number, value: Uint8Array | undefined): void {
    if (value === undefined) return
    this.#header(id, THRIFT.binary)
    this.elementBinary(value)
  }

  string(id: number, value: string | undefined): void {
    if (value !== undefined) this.binary(id, utf8.encode(value))
  }

  /** A nested struct, or a union's one member; `write` writes its fields. */
  struct(id: number, write: () => void): void {
    this.#header(id, THRIFT.struct)
    this.elementStruct(write)
  }

  /** A list; `write` writes one element with one of the `element…` methods. */
  list<T>(
    id: number,
    type: ThriftType,
    items: readonly T[] | undefined,
    write: (item: T, index: number) => void,
  ): void {
    if (items === undefined) return
    this.#header(id, THRIFT.list)
    if (items.length < 15) this.#byte((items.length << 4) | THRIFT[type])
    else {
      this.#byte(0xf0 | THRIFT[type])
      this.#varint(items.length)
    }
    items.forEach(write)
  }

  elementBool(value: boolean): void {
    this.#byte(value ? THRIFT.bool : BOOL_FALSE)
  }

  elementInteger(value: number): void {
    this.#varint(zigzag(value))
  }

  elementBinary(value: Uint8Array): void {
    this.#varint(value.length)
    this.#reserve(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
  }

  elementString(value: string): void {
    this.elementBinary(utf8.encode(value))
  }

  elementStruct(write: () => void): void {
    const outer = this.#lastId
    this.#lastId = 0
    write()
    this.#byte(0)
    this.#lastId = outer
  }

  /** Ends the struct and returns its bytes; the writer can then write another. */
  finish(): Uint8Array {
    this.#byte(0)
    const bytes = this.#bytes.slice(0, this.#length)
    this.#length = this.#lastId = 0
    return bytes
  }

  #integer(id: number, type: number, value: number | undefined): void {
    if (value === undefined) return
    this.#header(id, type)
    this.#varint(zigzag(value))
  }

  #header(id: number, type: number): void {
    const delta = id - this.#lastId
    if (delta > 0 && delta < 16) this.#byte((delta << 4) | type)
    else {
      this.#byte(type)
      this.#varint(zigzag(id))
    }
    this.#lastId = id
  }

  /** Division instead of shifts: values go beyond 32 bits. */
  #varint(value: number): void {
    let rest = value
    while (rest > 0x7f) {
      this.#byte((rest % 128) | 0x80)
      rest = Math.floor(rest / 128)
    }
    this.#byte(rest)
  }

  #byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }
}

function zigzag(value: number): number {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not an integer below 2^53`)
  return value < 0 ? -2 * value - 1 : 2 * value
}
