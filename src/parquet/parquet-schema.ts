import type { Field } from 'apache-arrow'
import { SluiceError } from '../core/errors.ts'
import { FIELD_ID_KEY } from './field-metadata.ts'
import { type LeafType, leafType } from './leaf-type.ts'
import type { ColumnDescriptor, SchemaElement } from './metadata.ts'
import { leafField, nestedField } from './nested-field.ts'
import { columnDescriptors } from './schema-tree.ts'

/** Structs and lists in one another; their schema, and so their levels, are less than twice as deep. */
const MAX_DEPTH = 60

/**
 * The Parquet schema of Arrow fields: a root, the groups of nested fields, and the leaves, whose types come in
 * the same order as `columns`. Fields are those of values, not of codes.
 */
export function parquetSchema(fields: readonly Field[]): {
  schema: SchemaElement[]
  columns: ColumnDescriptor[]
  leaves: LeafType[]
} {
  const root: SchemaElement = { name: 'schema', numChildren: fields.length }
  const schema = [root]
  const leaves: LeafType[] = []
  const addAll = (fields: readonly Field[], path: readonly string[]): void => {
    const names = new Set<string>()
    for (const field of fields) {
      if (names.has(field.name)) {
        throw new SluiceError('schema', 'there are two columns of this name', {
          column: [...path, field.name].join('.'),
          hint: 'Rename one of them.',
        })
      }
      names.add(field.name)
      add(field, [...path, field.name])
    }
  }
  const add = (field: Field, path: readonly string[]): void => {
    if (path.length > MAX_DEPTH) {
      throw new SluiceError('unsupported', 'it is nested too deeply to be written', { column: path[0]! })
    }
    const nested = nestedField(field)
    if (nested === undefined) {
      const leaf = leafType(leafField(field, path))
      leaves.push(leaf)
      schema.push(elementOf(field, leaf.layout === 'null', leaf.element))
      return
    }
    const { annotation: type, repeated, fields } = nested
    if (type === undefined || repeated === undefined) {
      schema.push(elementOf(field, false, { numChildren: fields.length }))
      addAll(fields, path)
      return
    }
    schema.push(elementOf(field, false, { numChildren: 1, convertedType: type, logicalType: { type } }))
    schema.push({ name: repeated, repetition: 'REPEATED', numChildren: fields.length })
    addAll(fields, [...path, repeated])
  }
  addAll(fields, [])
  return { schema, columns: columnDescriptors(schema), leaves }
}

function elementOf(field: Field, allNull: boolean, rest: Omit<SchemaElement, 'name'>): SchemaElement {
  const repetition = field.nullable || allNull ? 'OPTIONAL' : 'REQUIRED'
  const element: SchemaElement = { name: field.name, ...rest, repetition }
  const fieldId = Number(field.metadata.get(FIELD_ID_KEY) ?? Number.NaN)
  if (Number.isInteger(fieldId)) element.fieldId = fieldId
  return element
}
