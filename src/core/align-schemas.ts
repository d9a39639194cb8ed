import { DataType, Field, type RecordBatch, Schema } from 'apache-arrow'
import { makeBatch } from './batch.ts'
import { SluiceError } from './errors.ts'
import { describeType, isCastable } from './expressions/typename.ts'
import { type Stage, unknownColumn } from './stages.ts'
import { relabelled, wider } from './widen.ts'

/** One of several streams of batches that become one, and how messages name it. */
export interface AlignedPart {
  schema: Schema
  name: string
}

/**
 * The schema that several streams have in common, columns matched by name, in the order of the first: each as the widest
 * of its types, and nullable if it is anywhere. With it, for each stream, the stages that give it that schema. Throws
 * a `schema` error where a stream lacks a column, has one that others lack, or no type has the values of all.
 */
export function alignSchemas(parts: readonly AlignedPart[]): { schema: Schema; stages: Stage[][] } {
  const [first, ...others] = parts
  const fields = others.reduce(
    (known, part) => known.map(field => commonField(field, part, first!)),
    first!.schema.fields,
  )
  for (const part of others) {
    const extra = part.schema.fields.find(({ name }) => !fields.some(field => field.name === name))
    if (extra !== undefined) throw lacking(extra.name, first!, part)
  }
  const schema = new Schema(fields, first!.schema.metadata)
  return { schema, stages: parts.map(part => stagesTo(fields, part.schema)) }
}

function commonField(field: Field, part: AlignedPart, first: AlignedPart): Field {
  const { name, type } = field
  const own = part.schema.fields.find(other => other.name === name)
  if (own === undefined) throw lacking(name, part, first)
  const common = commonType(type, own.type)
  if (common !== undefined) return new Field(name, common, field.nullable || own.nullable, field.metadata)
  throw new SluiceError('schema', `is of type ${own.type} here and ${type} in ${first.name}`, {
    file: part.name,
    column: name,
    ...(isCastable(type)
      ? { hint: `Cast it, for example with derive({ ${name}: "cast(${name} as ${describeType(type)})" }).` }
      : {}),
  })
}

/** Of a column that is null in all rows of one of them, as some writers say it, the other's. */
function commonType(a: DataType, b: DataType): DataType | undefined {
  if (DataType.isNull(a) && isCastable(b)) return b
  return DataType.isNull(b) && isCastable(a) ? a : wider(a, b)
}

/** Whatever has other types is cast, and then the columns are put in order. Where nulls may be is no matter. */
function stagesTo(fields: readonly Field[], own: Schema): Stage[] {
  const stages: Stage[] = []
  const narrow = fields.filter(({ name, type }) => {
    const from = own.fields.find(field => field.name === name)!.type
    return String(from) !== String(type)
  })
  if (narrow.length > 0) {
    stages.push({
      op: 'derive',
      columns: narrow.map(({ name, type }) => [
        name,
        { op: 'cast', arg: { op: 'column', name }, to: describeType(type) },
      ]),
    })
  }
  const names = fields.map(({ name }) => name)
  if (own.fields.some(({ name }, i) => name !== names[i])) stages.push({ op: 'project', columns: names })
  return stages
}

function lacking(name: string, part: AlignedPart, other: AlignedPart): SluiceError {
  const { hint } = unknownColumn(name, part.schema)
  return new SluiceError('schema', `is not here, though it is in ${other.name}`, {
    file: part.name,
    column: name,
    hint: `${hint} Use rename(), drop() or derive() in one of them, so that both have the same.`,
  })
}

/** Batches of one part with the fields that all have in common, which may have nulls where those of the part have none. */
export function alignedBatch(batch: RecordBatch, fields: readonly Field[]): RecordBatch {
  const columns = batch.data.children.map((column, i) => relabelled(column, fields[i]!.type))
  return makeBatch(fields, columns, batch.numRows)
}
