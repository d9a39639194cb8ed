import { DataType, Field } from 'apache-arrow'
import { valueType } from '../core/batch.ts'
import { SluiceError } from '../core/errors.ts'

/** What a field of a nested type is written as, by "Nested Types" in LogicalTypes.md. */
export interface NestedField {
  /** Absent on structs. */
  annotation?: 'LIST' | 'MAP'
  /** Name of the repeated group between a list or map and its fields; absent on structs. */
  repeated?: 'list' | 'key_value'
  /** The element of a list, key and value of a map, the members of a struct; named as they are written. */
  fields: Field[]
}

/** Describes a field whose values have parts; `undefined` for one that is a leaf. */
export function nestedField(field: Field): NestedField | undefined {
  const type: DataType = field.type
  if (DataType.isStruct(type)) {
    if (type.children.length > 0) return { fields: type.children }
    throw new SluiceError('unsupported', 'a struct without fields cannot be written', {
      column: field.name,
      hint: 'Parquet has no place for it: leave the column out.',
    })
  }
  if (DataType.isList(type) || DataType.isFixedSizeList(type)) {
    return { annotation: 'LIST', repeated: 'list', fields: [renamed(type.children[0]!, 'element')] }
  }
  if (DataType.isMap(type)) {
    const [key, value] = type.children[0]!.type.children as Field[]
    const fields = [renamed(key!, 'key', false), renamed(value!, 'value')]
    return { annotation: 'MAP', repeated: 'key_value', fields }
  }
  return undefined
}

/** The field of a leaf's values, by whose name options and messages mean it: `a.list.element`. */
export function leafField(field: Field, path: readonly string[]): Field {
  return new Field(path.join('.'), valueType(field.type), field.nullable, field.metadata)
}

function renamed(field: Field, name: string, nullable: boolean = field.nullable): Field {
  return new Field(name, field.type, nullable, field.metadata)
}
