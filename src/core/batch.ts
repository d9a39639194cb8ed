import {
  type Data,
  DataType,
  type Dictionary,
  Field,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  type Vector,
} from 'apache-arrow'

/**
 * A record batch of columns. Columns may be dictionary-encoded where the schema says the value's type: the
 * batch's own schema then says `Dictionary`, see {@link valueType}.
 */
export function makeBatch(fields: readonly Field[], columns: readonly Data[], rows: number): RecordBatch {
  const own = fields.map((field, index) => {
    const type = columns[index]!.type
    return field.type === type ? field : new Field(field.name, type, field.nullable, field.metadata)
  })
  const schema = new Schema(own)
  const struct = new Struct(own)
  return new RecordBatch(
    schema,
    makeData({ type: struct, length: rows, nullCount: 0, children: [...columns] }),
  )
}

/** What a column is made of, when its type is known only at run time. */
export interface ColumnParts {
  type: DataType
  length: number
  nullCount: number
  /** Absent without nulls. */
  nullBitmap?: Uint8Array | undefined
  /** Values, codes or text; bytes are taken as the type's own array. */
  data?: ArrayBufferView
  valueOffsets?: Int32Array
  dictionary?: Vector | undefined
}

/** Arrow data of its parts. */
export function makeColumn(parts: ColumnParts): Data {
  return makeData(parts as Parameters<typeof makeData>[0])
}

/** The type of the values: of a dictionary-encoded column, that of its dictionary. */
export function valueType(type: DataType): DataType {
  return DataType.isDictionary(type) ? (type as Dictionary).dictionary : type
}

/** A batch's schema as the user knows it: value types, no encodings. */
export function logicalSchema(schema: Schema): Schema {
  return new Schema(
    schema.fields.map(f => new Field(f.name, valueType(f.type), f.nullable, f.metadata)),
    schema.metadata,
  )
}

/** The dictionary's values as one chunk. */
export function dictionaryData(column: Data): Data {
  const dictionary = column.dictionary as Vector
  if (dictionary.data.length !== 1) throw new TypeError('a dictionary of several chunks')
  return dictionary.data[0] as Data
}

/** Column by name; the first of that name. */
export function columnOf(batch: RecordBatch, name: string): Data | undefined {
  const index = batch.schema.fields.findIndex(field => field.name === name)
  return index < 0 ? undefined : batch.data.children[index]
}

/** Bytes of a batch's columns, dictionaries included. */
export function batchBytes(batch: RecordBatch): number {
  return batch.data.children.reduce((sum, column) => sum + dataBytes(column), 0)
}

function dataBytes(data: Data): number {
  let bytes = (data.values as ArrayBufferView | undefined)?.byteLength ?? 0
  bytes += (data.valueOffsets as ArrayBufferView | undefined)?.byteLength ?? 0
  bytes += (data.nullBitmap as ArrayBufferView | undefined)?.byteLength ?? 0
  for (const child of data.children) bytes += dataBytes(child)
  if (data.dictionary !== undefined) for (const chunk of data.dictionary.data) bytes += dataBytes(chunk)
  return bytes
}
