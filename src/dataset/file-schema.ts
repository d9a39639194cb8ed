import { DataType, Field, Schema } from 'apache-arrow'
import { SluiceError } from '../core/errors.ts'
import { unknownColumn } from '../core/stages.ts'
import { sameValues, widens, wider } from '../core/widen.ts'
import { arrowSchema } from '../parquet/arrow-schema.ts'
import type { FileMetadata } from '../parquet/metadata.ts'

/** Column types by name, or an Arrow schema. */
export type SchemaOption = Schema | Readonly<Record<string, DataType>>

/** How far the files of a source may differ. */
export interface SchemaRules {
  /** Types of columns, partition keys among them. */
  schema?: SchemaOption | undefined
  missingColumns?: 'error' | 'null' | undefined
  extraColumns?: 'ignore' | 'error' | undefined
}

/** The columns that have been declared. */
export function declaredFields(declared: SchemaOption | undefined): Field[] {
  if (declared === undefined) return []
  if (declared instanceof Schema) return declared.fields
  return Object.entries(declared).map(([name, type]) => new Field(name, type, true))
}

/**
 * The columns of a source but for the partition keys, from those of its first file: with the types that have been
 * declared for them, where these are wider, and with columns that have been declared though the file lacks them.
 */
export function sourceColumns(
  own: readonly Field[],
  keys: readonly Field[],
  { schema: declared, missingColumns }: SchemaRules,
  file: string,
): Field[] {
  const columns = own.filter(({ name }) => !keys.some(key => key.name === name))
  for (const field of declaredFields(declared)) {
    const { name, type } = field
    const at = columns.findIndex(column => column.name === name)
    const found = columns[at] ?? keys.find(key => key.name === name)
    if (found === undefined) {
      if (missingColumns !== 'null') throw unknownColumn(name, new Schema([...columns, ...keys]))
      columns.push(new Field(name, type, true, field.metadata))
    } else if (at >= 0 && (DataType.isNull(found.type) || widens(found.type, type))) {
      columns[at] = new Field(name, type, found.nullable, found.metadata)
    } else if (String(found.type) !== String(type)) throw misdeclared(field, found, file)
  }
  return columns
}

/**
 * Those of some columns of the source that are null in all rows of a file, because it lacks them or knows nothing of
 * their type. Throws if a column does not fit: a narrower type does.
 */
export function absentColumns(
  metadata: FileMetadata,
  columns: readonly Field[],
  file: string,
  { missingColumns }: SchemaRules,
): Field[] {
  const own = arrowSchema(metadata, file)
  return columns.filter(field => {
    const found = own.fields.find(({ name }) => name === field.name)
    if (found === undefined) {
      if (missingColumns === 'null') return true
      throw missing(field, own, file)
    }
    if (sameValues(found.type, field.type) || widens(found.type, field.type)) return false
    if (DataType.isNull(found.type)) return true
    throw unfit(field, found, file)
  })
}

/** Throws for a column that the source does not have. */
export function refuseExtra(metadata: FileMetadata, source: Schema, file: string): void {
  const extra = arrowSchema(metadata, file).fields.find(
    ({ name }) => !source.fields.some(field => field.name === name),
  )
  if (extra === undefined) return
  throw new SluiceError('schema', 'is in this file, though it is not in the first one of the source', {
    file,
    column: extra.name,
    hint: `Leave extraColumns away to ignore it, or declare it, with missingColumns: 'null': ${declaration(extra)}.`,
  })
}

function missing({ name }: Field, own: Schema, file: string): SluiceError {
  const { hint } = unknownColumn(name, own)
  return new SluiceError('schema', 'is not in this file, though it is in the first one of the source', {
    file,
    column: name,
    hint: `${hint} With missingColumns: 'null' it is null in such files.`,
  })
}

function unfit(field: Field, found: Field, file: string): SluiceError {
  const type = DataType.isNull(field.type) ? found.type : wider(field.type, found.type)
  const differs =
    String(found.type) === String(field.type)
      ? 'may have nulls within in this file and none in the source'
      : `is of type ${found.type} in this file and ${field.type} in the source`
  return new SluiceError('schema', `${differs}, whose first file says so`, {
    file,
    column: field.name,
    hint:
      type === undefined
        ? 'Read the files with different types as sources of their own, cast the column, and concat() them.'
        : `Declare a type that has the values of both: ${declaration(new Field(field.name, type))}.`,
  })
}

function misdeclared({ name, type }: Field, found: Field, file: string): SluiceError {
  return new SluiceError('schema', `is declared as ${type}, but is ${found.type}`, {
    option: 'schema',
    file,
    column: name,
    hint: 'Declare the type that the files have, or a wider one, and cast in the pipeline.',
  })
}

/** The option that declares a column, as it is written. */
function declaration({ name, type }: Field): string {
  const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name)
  return `schema: { ${key}: ${construction(type)} }`
}

function construction(type: DataType): string {
  if (DataType.isDecimal(type)) return `new Decimal(${type.scale}, ${type.precision})`
  const fields = (type.children ?? []).map(
    ({ name, type, nullable }: Field) =>
      `new Field(${JSON.stringify(name)}, ${construction(type)}, ${nullable})`,
  )
  if (DataType.isStruct(type)) return `new Struct([${fields.join(', ')}])`
  if (DataType.isList(type)) return `new List(${fields[0]})`
  if (DataType.isMap(type)) return `new Map_(${fields[0]})`
  return /^\w+$/.test(String(type)) ? `new ${type}()` : String(type)
}
