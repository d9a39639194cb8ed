import type { Field } from 'apache-arrow'
import { SluiceError } from '../core/errors.ts'
import { leafType } from './leaf-type.ts'
import type { ColumnDescriptor, SchemaElement } from './metadata.ts'

/** Key of the field metadata that carries a column's field id, as Arrow's other implementations have it. */
export const FIELD_ID_KEY = 'PARQUET:field_id'

/** The Parquet schema of Arrow fields: a root and one leaf each. Fields are those of values, not of codes. */
export function parquetSchema(fields: readonly Field[]): {
  schema: SchemaElement[]
  columns: ColumnDescriptor[]
} {
  const names = new Set<string>()
  const columns = fields.map((field, index): ColumnDescriptor => {
    if (names.has(field.name)) {
      throw new SluiceError('schema', 'there are two columns of this name', {
        column: field.name,
        hint: 'Rename one of them.',
      })
    }
    names.add(field.name)
    const leaf = leafType(field)
    const optional = field.nullable || leaf.layout === 'null'
    const element: SchemaElement = {
      name: field.name,
      ...leaf.element,
      repetition: optional ? 'OPTIONAL' : 'REQUIRED',
    }
    const fieldId = Number(field.metadata.get(FIELD_ID_KEY) ?? Number.NaN)
    if (Number.isInteger(fieldId)) element.fieldId = fieldId
    return {
      index,
      path: [field.name],
      element,
      maxDefinitionLevel: optional ? 1 : 0,
      maxRepetitionLevel: 0,
      flat: true,
    }
  })
  const root: SchemaElement = { name: 'schema', numChildren: columns.length }
  return { schema: [root, ...columns.map(column => column.element)], columns }
}
