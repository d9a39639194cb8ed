import {
  Binary,
  Bool,
  Data,
  DataType,
  Field,
  Float64,
  Int64,
  type RecordBatch,
  TimestampMillisecond,
  Utf8,
  Vector,
  vectorFromArray,
} from 'apache-arrow'
import { makeBatch, valueType } from './batch.ts'
import { SluiceError } from './errors.ts'

/**
 * A row as an object; values as apache-arrow gives them: bigint for 64-bit integers, null for null, and
 * milliseconds, as a number, for timestamps, which rounds today's to a quarter of a microsecond.
 */
export type Row = Record<string, unknown>

/** The rows of a batch as objects: for convenience, not for speed. */
export function rowsOf(batch: RecordBatch): Row[] {
  const names = batch.schema.fields.map(field => field.name)
  const columns = batch.data.children.map(valuesOf)
  return Array.from({ length: batch.numRows }, (_, row) => {
    const object: Row = {}
    names.forEach((name, i) => void setOwn(object, name, columns[i]![row]))
    return object
  })
}

/** Which columns rows have: the fields known by name, and for others the type that their values suggest. */
export function inferFields(rows: readonly Row[], known: readonly Field[]): Field[] {
  const names = new Set<string>()
  for (const row of rows) for (const name of Object.keys(row)) names.add(name)
  return Array.from(names, name => {
    const field = known.find(candidate => candidate.name === name)
    if (field !== undefined) return new Field(name, valueType(field.type), true, field.metadata)
    const sample = rows.find(row => row[name] !== null && row[name] !== undefined)?.[name]
    return new Field(name, inferType(name, sample), true)
  })
}

/** Rows as a batch; a missing value is null. */
export function batchOf(rows: readonly Row[], fields: readonly Field[]): RecordBatch {
  const columns = fields.map(field => {
    const values = rows.map(row => row[field.name] ?? null)
    try {
      return DataType.isUtf8(field.type) ? textColumn(values) : column(values, field.type)
    } catch (cause) {
      throw new SluiceError('schema', `a row has a value that is not of type ${field.type}`, {
        column: field.name,
        cause,
        hint: 'Return values of the column’s type, or name its type in the schema option.',
      })
    }
  })
  return makeBatch(fields, columns, rows.length)
}

function valuesOf(column: Data): unknown[] {
  if (!DataType.isDictionary(column.type)) return [...new Vector([column])]
  const values = [...(column.dictionary as Vector)]
  const codes = column.values as Int32Array
  return Array.from({ length: column.length }, (_, row) =>
    column.getValid(row) ? values[codes[row]!] : null,
  )
}

function setOwn(object: Row, name: string, value: unknown): void {
  if (name !== '__proto__') object[name] = value
  else Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
}

function inferType(name: string, sample: unknown): DataType {
  switch (typeof sample) {
    case 'string':
    case 'undefined':
      return new Utf8()
    case 'number':
      return new Float64()
    case 'bigint':
      return new Int64()
    case 'boolean':
      return new Bool()
    default:
      if (sample instanceof Date) return new TimestampMillisecond()
      if (sample instanceof Uint8Array) return new Binary()
      throw new SluiceError('schema', `cannot tell the type of ${Object.prototype.toString.call(sample)}`, {
        column: name,
        hint: 'Name the column’s type in the schema option.',
      })
  }
}

function column(values: unknown[], type: DataType): Data {
  if (values.length === 0) return new Data(type, 0, 0, 0)
  return vectorFromArray(values, type).data[0] as Data
}

/** By hand, because the general builder takes thirty times as long. */
function textColumn(values: unknown[]): Data {
  const encoder = new TextEncoder()
  const offsets = new Int32Array(values.length + 1)
  const validity = new Uint8Array((values.length + 7) >> 3)
  const parts: Uint8Array[] = []
  let nulls = 0
  let at = 0
  for (const [i, value] of values.entries()) {
    if (value === null) nulls++
    else {
      if (typeof value !== 'string') throw new TypeError(`${typeof value} where text was expected`)
      const part = encoder.encode(value)
      parts.push(part)
      at += part.length
      validity[i >> 3]! |= 1 << (i & 7)
    }
    offsets[i + 1] = at
  }
  const buffers = {
    0: offsets,
    1: new Uint8Array(Buffer.concat(parts)),
    2: nulls === 0 ? new Uint8Array(0) : validity,
  }
  return new Data(new Utf8(), 0, values.length, nulls, buffers as never)
}
