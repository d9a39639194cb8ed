import { SluiceError } from '../core/errors.ts'

/** Wire types of Thrift's compact protocol. */
export const ThriftType = {
  TRUE: 1,
  FALSE: 2,
  BYTE: 3,
  I16: 4,
  I32: 5,
  I64: 6,
  DOUBLE: 7,
  BINARY: 8,
  LIST: 9,
  SET: 10,
  MAP: 11,
  STRUCT: 12,
} as const

/** Deeper nesting than any Parquet structure has; what is deeper is an attack on the stack. */
const MAX_DEPTH = 32

/** Each becomes an object on the heap, which is no part of any budget; real footers have some thousands. */
const MAX_ELEMENTS = 2 ** 21

/**
 * Reads Thrift's compact protocol from bytes that nobody vouches for: every read is bounded by the end, every
 * list by the bytes that are left, nesting and the elements of all lists by constants. Anything malformed is `corrupt`.
 */
export class ThriftReader {
  /** Offset of the next byte. */
  position: number
  readonly #bytes: Uint8Array
  readonly #end: number
  #depth = 0
  /** Of all lists so far. */
  #elements = 0

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.#bytes = bytes
    this.position = start
    this.#end = end
  }

  /** Walks a struct's fields. `field` consumes the value, or returns `false` to have it skipped. */
  struct(field: (id: number, type: number) => boolean | undefined): void {
    if (++this.#depth > MAX_DEPTH) throw corrupt('is nested too deeply')
    for (let head = this.field(0); head !== 0; head = this.field(head)) {
      if (field(head >> 4, head & 15) === false) this.skip(head & 15)
    }
    this.#depth--
  }

  /**
   * The next field of a struct, for loops that need no closure: its id times 16 plus its wire type, or 0 at the
   * end. `last` is the field before, 0 for the first.
   */
  field(last: number): number {
    const head = this.#byte()
    const type = head & 15
    if (type === 0) return 0
    const id = head >> 4 === 0 ? this.#zigzag() : (last >> 4) + (head >> 4)
    if (id !== (id << 16) >> 16) throw corrupt('has a field whose number is out of range')
    return id * 16 + type
  }

  /** Reads a list whose elements all are of the wire type `type`; `TRUE` stands for booleans. */
  list<T>(type: number, element: () => T): T[] {
    const { size, type: actual } = this.#listHead()
    const fits = actual === type || (type === ThriftType.TRUE && actual === ThriftType.FALSE)
    if (size > 0 && !fits) throw corrupt(`has a list of type ${actual} where ${type} is due`)
    if ((this.#elements += size) > MAX_ELEMENTS) {
      throw new SluiceError('budget', `the metadata has lists of more than ${MAX_ELEMENTS} elements`)
    }
    const result: T[] = []
    for (let i = 0; i < size; i++) result.push(element())
    return result
  }

  /** A boolean field: the wire type is its value. */
  bool(type: number): boolean {
    if (type !== ThriftType.TRUE && type !== ThriftType.FALSE) throw corrupt('has a malformed boolean')
    return type === ThriftType.TRUE
  }

  /** A boolean as the element of a list. */
  boolElement(): boolean {
    return this.#byte() === ThriftType.TRUE
  }

  i8(): number {
    return (this.#byte() << 24) >> 24
  }

  i32(): number {
    const value = this.#zigzag()
    if (value !== (value | 0)) throw corrupt('has a 32-bit number out of range')
    return value
  }

  /** A 64-bit number, as long as it is below 2^52. */
  i64(): number {
    return this.#zigzag()
  }

  /** A copy, so that what outlives the footer does not hold on to it. */
  binary(): Uint8Array {
    const length = this.#varint()
    if (length > this.#end - this.position) throw corrupt('ends within a string')
    const start = this.position
    this.position += length
    return this.#bytes.slice(start, this.position)
  }

  /** The bytes of a value, which is skipped, without a copy. */
  raw(type: number): Uint8Array {
    const start = this.position
    this.skip(type)
    return this.#bytes.subarray(start, this.position)
  }

  /** One that was passed over, at an earlier position. */
  binaryAt(position: number): Uint8Array {
    const { position: here } = this
    this.position = position
    const value = this.binary()
    this.position = here
    return value
  }

  string(): string {
    return utf8.decode(this.binary())
  }

  skip(type: number): void {
    switch (type) {
      case ThriftType.TRUE:
      case ThriftType.FALSE:
        break
      case ThriftType.BYTE:
        this.#advance(1)
        break
      case ThriftType.I16:
      case ThriftType.I32:
      case ThriftType.I64:
        this.#varint()
        break
      case ThriftType.DOUBLE:
        this.#advance(8)
        break
      case ThriftType.BINARY:
        this.#advance(this.#varint())
        break
      case ThriftType.LIST:
      case ThriftType.SET: {
        const { size, type: element } = this.#listHead()
        for (let i = 0; i < size; i++) this.#skipElement(element)
        break
      }
      case ThriftType.MAP:
        this.#skipMap()
        break
      case ThriftType.STRUCT:
        if (++this.#depth > MAX_DEPTH) throw corrupt('is nested too deeply')
        for (let head = this.field(0); head !== 0; head = this.field(head)) this.skip(head & 15)
        this.#depth--
        break
      default:
        throw corrupt(`has a field of unknown type ${type}`)
    }
  }

  #skipMap(): void {
    const size = this.#varint()
    if (size === 0) return
    if (size > this.#end - this.position) throw corrupt('has a map longer than its bytes')
    const types = this.#byte()
    for (let i = 0; i < size; i++) {
      this.#skipElement(types >> 4)
      this.#skipElement(types & 15)
    }
  }

  /** Booleans take a byte in collections and none in structs. */
  #skipElement(type: number): void {
    if (type === ThriftType.TRUE || type === ThriftType.FALSE) {
      this.#advance(1)
      return
    }
    if (++this.#depth > MAX_DEPTH) throw corrupt('is nested too deeply')
    this.skip(type)
    this.#depth--
  }

  /** Every element takes a byte at least, so a longer list is a lie. */
  #listHead(): { size: number; type: number } {
    const head = this.#byte()
    const size = head >> 4 === 15 ? this.#varint() : head >> 4
    if (size > this.#end - this.position) throw corrupt('has a list longer than its bytes')
    return { size, type: head & 15 }
  }

  #zigzag(): number {
    const value = this.#varint()
    if (value > Number.MAX_SAFE_INTEGER) throw corrupt('has a number beyond 2^52')
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  #varint(): number {
    const first = this.#byte()
    if (first < 128) return first
    let value = first & 127
    let scale = 128
    for (let i = 1; i < 10; i++) {
      const byte = this.#byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
      scale *= 128
    }
    throw corrupt('has a number of too many bytes')
  }

  #byte(): number {
    if (this.position >= this.#end) throw corrupt('ends too early')
    return this.#bytes[this.position++]!
  }

  #advance(bytes: number): void {
    if (bytes > this.#end - this.position) throw corrupt('ends too early')
    this.position += bytes
  }
}

const utf8 = new TextDecoder()

function corrupt(what: string): SluiceError {
  return new SluiceError('corrupt', `the metadata ${what}`)
}
