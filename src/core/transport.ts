import {
  Binary,
  Bool,
  Data,
  DataType,
  DateDay,
  DateMillisecond,
  Decimal,
  Dictionary,
  Duration,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float16,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  List,
  Map_,
  Null,
  type RecordBatch,
  Schema,
  Struct,
  Time,
  Timestamp,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
  Vector,
} from 'apache-arrow'
import { makeBatch } from './batch.ts'
import { SluiceError } from './errors.ts'

/**
 * Batches and schemas as plain data that `postMessage` takes. Column memory in a SharedArrayBuffer is shared,
 * not copied; {@link packBatch} makes a batch whose memory is one ArrayBuffer, for transfer.
 */
export interface FieldMessage {
  name: string
  nullable: boolean
  metadata: [string, string][]
  type: TypeMessage
}

/** A type by the name of its Arrow class and the arguments of its constructor. */
export interface TypeMessage {
  name: string
  args?: unknown[]
  children?: FieldMessage[]
}

interface DataMessage {
  length: number
  offset: number
  nullCount: number
  buffers: (ArrayBufferView | undefined)[]
  children: DataMessage[]
  dictionary: DataMessage | undefined
}

export interface BatchMessage {
  fields: FieldMessage[]
  rows: number
  columns: DataMessage[]
}

const plain = {
  Null,
  Bool,
  Int8,
  Int16,
  Int32,
  Int64,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Float16,
  Float32,
  Float64,
  Utf8,
  Binary,
  DateDay,
  DateMillisecond,
} as const

export function fieldToMessage(field: Field): FieldMessage {
  return {
    name: field.name,
    nullable: field.nullable,
    metadata: [...field.metadata],
    type: typeToMessage(field.type),
  }
}

export function fieldFromMessage({ name, type, nullable, metadata }: FieldMessage): Field {
  return new Field(name, typeFromMessage(type), nullable, new Map(metadata))
}

export function schemaFromMessage(fields: readonly FieldMessage[]): Schema {
  return new Schema(fields.map(fieldFromMessage))
}

export function batchToMessage(batch: RecordBatch): BatchMessage {
  return {
    fields: batch.schema.fields.map((field, ordinal) => withDictionaryId(fieldToMessage(field), ordinal)),
    rows: batch.numRows,
    columns: batch.data.children.map(dataToMessage),
  }
}

/** Dictionaries are known by their column's ordinal, so that batches of one stream have equal schemas. */
function withDictionaryId(message: FieldMessage, id: number): FieldMessage {
  const { type } = message
  if (type.name !== 'Dictionary') return message
  const [values, indices, , ordered] = type.args!
  return { ...message, type: { ...type, args: [values, indices, id, ordered] } }
}

export function batchFromMessage({ fields, rows, columns }: BatchMessage): RecordBatch {
  const own = fields.map(fieldFromMessage)
  return makeBatch(
    own,
    columns.map((column, i) => dataFromMessage(own[i]!.type, column)),
    rows,
  )
}

/** The batch with all its memory copied into one new buffer, an ArrayBuffer unless another kind is asked for. */
export function packBatch<T extends ArrayBufferLike = ArrayBuffer>(
  batch: RecordBatch,
  create: (bytes: number) => T = bytes => new ArrayBuffer(bytes) as T,
): { message: BatchMessage; memory: T } {
  const message = batchToMessage(batch)
  const views: { holder: (ArrayBufferView | undefined)[]; index: number; view: ArrayBufferView }[] = []
  const collect = (data: DataMessage): void => {
    data.buffers.forEach((view, index) => {
      if (view !== undefined) views.push({ holder: data.buffers, index, view })
    })
    data.children.forEach(collect)
    if (data.dictionary !== undefined) collect(data.dictionary)
  }
  message.columns.forEach(collect)
  let size = 0
  for (const { view } of views) size += roundUp(view.byteLength)
  const memory = create(size)
  let at = 0
  for (const { holder, index, view } of views) {
    const bytes = view.byteLength
    new Uint8Array(memory, at, bytes).set(new Uint8Array(view.buffer, view.byteOffset, bytes))
    const typed = view as ArrayBufferView & { BYTES_PER_ELEMENT: number; length: number }
    holder[index] = Reflect.construct(view.constructor, [memory, at, typed.length]) as ArrayBufferView
    at += roundUp(bytes)
  }
  return { message, memory }
}

/** The batch in ordinary memory of its own. */
export function copyBatch(batch: RecordBatch): RecordBatch {
  return batchFromMessage(packBatch(batch).message)
}

function roundUp(bytes: number): number {
  return (bytes + 15) & ~15
}

function dataToMessage(data: Data): DataMessage {
  const dictionary = data.dictionary as Vector | undefined
  if (dictionary !== undefined && dictionary.data.length !== 1) {
    throw new SluiceError('unsupported', 'a dictionary of several chunks cannot be sent to a lane')
  }
  return {
    length: data.length,
    offset: data.offset,
    nullCount: data.nullCount,
    buffers: [data.valueOffsets, data.values, data.nullBitmap, data.typeIds].map(view =>
      view === undefined || view === null ? undefined : (view as ArrayBufferView),
    ),
    children: data.children.map(dataToMessage),
    dictionary: dictionary === undefined ? undefined : dataToMessage(dictionary.data[0]!),
  }
}

function dataFromMessage(type: DataType, message: DataMessage): Data {
  const { offset, length, nullCount, buffers, children, dictionary } = message
  const fields = (type.children ?? []) as Field[]
  const valueType = (type as Dictionary).dictionary
  return new Data(
    type,
    offset,
    length,
    nullCount,
    { 0: buffers[0], 1: buffers[1], 2: buffers[2], 3: buffers[3] } as never,
    children.map((child, i) => dataFromMessage(fields[i]!.type, child)),
    dictionary === undefined ? undefined : new Vector([dataFromMessage(valueType, dictionary)]),
  )
}

function typeToMessage(type: DataType): TypeMessage {
  const children = (type.children ?? []).map((child: Field) => fieldToMessage(child))
  if (DataType.isDictionary(type)) {
    const values = typeToMessage(type.dictionary)
    return { name: 'Dictionary', args: [values, typeToMessage(type.indices), type.id, type.isOrdered] }
  }
  if (DataType.isDecimal(type)) {
    return { name: 'Decimal', args: [type.scale, type.precision, type.bitWidth] }
  }
  if (DataType.isTimestamp(type)) return { name: 'Timestamp', args: [type.unit, type.timezone ?? null] }
  if (DataType.isTime(type)) return { name: 'Time', args: [type.unit, type.bitWidth] }
  if (DataType.isDuration(type)) return { name: 'Duration', args: [type.unit] }
  if (DataType.isFixedSizeBinary(type)) return { name: 'FixedSizeBinary', args: [type.byteWidth] }
  if (DataType.isStruct(type)) return { name: 'Struct', children }
  if (DataType.isList(type)) return { name: 'List', children }
  if (DataType.isFixedSizeList(type)) return { name: 'FixedSizeList', args: [type.listSize], children }
  if (DataType.isMap(type)) return { name: 'Map', args: [type.keysSorted], children }
  const name = Object.keys(plain).find(key => isPlain(type, key as keyof typeof plain))
  if (name === undefined) throw new SluiceError('unsupported', `columns of type ${type} are not supported`)
  return { name }
}

function isPlain(type: DataType, name: keyof typeof plain): boolean {
  return String(new plain[name]()) === String(type) && new plain[name]().typeId === type.typeId
}

function typeFromMessage({ name, args = [], children = [] }: TypeMessage): DataType {
  const fields = children.map(fieldFromMessage)
  const [a, b, c, d] = args as never[]
  switch (name) {
    case 'Dictionary':
      return new Dictionary(typeFromMessage(a!), typeFromMessage(b!) as Int32, c, d)
    case 'Decimal':
      return new Decimal(a!, b!, c)
    case 'Timestamp':
      return new Timestamp(a!, b)
    case 'Time':
      return new Time(a!, b!)
    case 'Duration':
      return new Duration(a!)
    case 'FixedSizeBinary':
      return new FixedSizeBinary(a!)
    case 'Struct':
      return new Struct(fields)
    case 'List':
      return new List(fields[0]!)
    case 'FixedSizeList':
      return new FixedSizeList(a!, fields[0]!)
    case 'Map':
      return new Map_(fields[0] as Field<never>, a)
    default:
      return new plain[name as keyof typeof plain]()
  }
}
