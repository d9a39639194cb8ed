/** Thrift's compact protocol as a tree that can be changed at will and written again, sound or not. */
export type ThriftNode =
  | { kind: 'bool'; value: boolean }
  | { kind: 'int'; type: number; value: bigint }
  | { kind: 'double'; bytes: Uint8Array }
  /** `claimed` is the length that is written, if it is another one than the real. */
  | { kind: 'binary'; bytes: Uint8Array; claimed?: number }
  | { kind: 'list'; type: number; element: number; items: ThriftNode[]; claimed?: number }
  | { kind: 'struct'; fields: ThriftField[] }
  /** Bytes that stand for a value of the type, whatever they are. */
  | { kind: 'raw'; type: number; bytes: Uint8Array }

export interface ThriftField {
  id: number
  node: ThriftNode
}

export type ThriftStruct = Extract<ThriftNode, { kind: 'struct' }>
export type ThriftList = Extract<ThriftNode, { kind: 'list' }>

export const TYPE = {
  true: 1,
  false: 2,
  byte: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
} as const

/** Reads a struct of a sound file; returns it and where it ends. Throws a RangeError at what is not sound. */
export function parseStruct(bytes: Uint8Array, start: number): { struct: ThriftStruct; end: number } {
  let at = start
  const byteAt = (): number => {
    if (at >= bytes.length) throw new RangeError('the bytes end too early')
    return bytes[at++]!
  }
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = byteAt()
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return value
    }
  }
  const zigzag = (): bigint => {
    const value = varint()
    return (value >> 1n) ^ -(value & 1n)
  }
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) throw new RangeError('the bytes end too early')
    return bytes.slice(at, (at += length))
  }
  const value = (type: number, inList: boolean): ThriftNode => {
    switch (type) {
      case TYPE.true:
      case TYPE.false:
        return { kind: 'bool', value: inList ? take(1)[0] === TYPE.true : type === TYPE.true }
      case TYPE.byte:
        return { kind: 'int', type, value: BigInt((take(1)[0]! << 24) >> 24) }
      case TYPE.i16:
      case TYPE.i32:
      case TYPE.i64:
        return { kind: 'int', type, value: zigzag() }
      case TYPE.double:
        return { kind: 'double', bytes: take(8) }
      case TYPE.binary:
        return { kind: 'binary', bytes: take(Number(varint())) }
      case TYPE.list:
      case TYPE.set: {
        const head = take(1)[0]!
        const size = head >> 4 === 15 ? Number(varint()) : head >> 4
        const element = head & 15
        if (size > bytes.length - at) throw new RangeError('a list is longer than its bytes')
        return {
          kind: 'list',
          type,
          element,
          items: Array.from({ length: size }, () => value(element, true)),
        }
      }
      case TYPE.struct:
        return struct()
      default:
        throw new RangeError(`Thrift type ${type} in a sound file`)
    }
  }
  const struct = (): ThriftStruct => {
    const fields: ThriftField[] = []
    let last = 0
    for (let head = byteAt(); head !== 0; head = byteAt()) {
      const id = head >> 4 === 0 ? Number(zigzag()) : last + (head >> 4)
      fields.push({ id, node: value(head & 15, false) })
      last = id
    }
    return { kind: 'struct', fields }
  }
  return { struct: struct(), end: at }
}

export function writeStruct({ fields }: ThriftStruct): Uint8Array {
  const out: number[] = []
  const put = (bytes: Uint8Array): void => {
    for (const byte of bytes) out.push(byte)
  }
  const writeFields = (list: readonly ThriftField[]): void => {
    let last = 0
    for (const { id, node } of list) {
      const delta = id - last
      if (delta > 0 && delta < 16) out.push((delta << 4) | typeOf(node))
      else out.push(typeOf(node), ...uleb(zigzagged(BigInt(id))))
      last = id
      if (node.kind !== 'bool') write(node)
    }
    out.push(0)
  }
  const write = (node: ThriftNode): void => {
    switch (node.kind) {
      case 'bool':
        out.push(node.value ? TYPE.true : TYPE.false)
        break
      case 'int':
        if (node.type === TYPE.byte) out.push(Number(node.value & 255n))
        else out.push(...uleb(zigzagged(node.value)))
        break
      case 'binary':
        out.push(...uleb(BigInt(node.claimed ?? node.bytes.length)))
        put(node.bytes)
        break
      case 'list': {
        const size = node.claimed ?? node.items.length
        if (size < 15) out.push((size << 4) | node.element)
        else out.push(0xf0 | node.element, ...uleb(BigInt(size)))
        node.items.forEach(write)
        break
      }
      case 'struct':
        writeFields(node.fields)
        break
      default:
        put(node.bytes)
    }
  }
  writeFields(fields)
  return Uint8Array.from(out)
}

/** The value of a struct's field, if it has it. */
export function fieldOf(struct: ThriftStruct, id: number): ThriftNode | undefined {
  return struct.fields.find(field => field.id === id)?.node
}

export function structAt(struct: ThriftStruct, id: number): ThriftStruct | undefined {
  const node = fieldOf(struct, id)
  return node?.kind === 'struct' ? node : undefined
}

/** The structs of a list. */
export function structsAt(struct: ThriftStruct, id: number): ThriftStruct[] {
  const node = fieldOf(struct, id)
  return node?.kind === 'list' ? node.items.filter(item => item.kind === 'struct') : []
}

export function intAt(struct: ThriftStruct, id: number): number | undefined {
  const node = fieldOf(struct, id)
  return node?.kind === 'int' ? Number(node.value) : undefined
}

/** Sets an integer field, which is put in its place if it is not there; `undefined` removes it. */
export function setInt(
  struct: ThriftStruct,
  id: number,
  type: number,
  value: number | bigint | undefined,
): void {
  struct.fields = struct.fields.filter(field => field.id !== id)
  if (value === undefined) return
  const at = struct.fields.findIndex(field => field.id > id)
  const field: ThriftField = { id, node: { kind: 'int', type, value: BigInt(value) } }
  struct.fields.splice(at < 0 ? struct.fields.length : at, 0, field)
}

/** Every node below a struct with how to put another one in its place. */
export function nodesOf(
  struct: ThriftStruct,
): { node: ThriftNode; parent: ThriftStruct | ThriftList; index: number }[] {
  const found: ReturnType<typeof nodesOf> = []
  const visit = (node: ThriftNode, parent: ThriftStruct | ThriftList, index: number): void => {
    found.push({ node, parent, index })
    descend(node)
  }
  const descend = (node: ThriftNode): void => {
    if (node.kind === 'struct') node.fields.forEach((field, index) => void visit(field.node, node, index))
    else if (node.kind === 'list') node.items.forEach((item, index) => void visit(item, node, index))
  }
  descend(struct)
  return found
}

export function uleb(value: bigint): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  return [...bytes, Number(rest)]
}

/** Also of what is out of any range. */
function zigzagged(value: bigint): bigint {
  return value < 0n ? -2n * value - 1n : 2n * value
}

function typeOf(node: ThriftNode): number {
  switch (node.kind) {
    case 'bool':
      return node.value ? TYPE.true : TYPE.false
    case 'double':
      return TYPE.double
    case 'binary':
      return TYPE.binary
    case 'struct':
      return TYPE.struct
    default:
      return node.type
  }
}
