import { type DataType, Field, Schema } from 'apache-arrow'
import { SluiceError } from '../core/errors.ts'
import type { Run } from '../core/run.ts'
import { unknownColumn } from '../core/stages.ts'
import { arrowSchema } from '../parquet/arrow-schema.ts'
import type { SchemaMemo } from '../parquet/file-metadata.ts'
import { FOOTER_TAIL, readFooter } from '../parquet/footer.ts'
import type { FileMetadata } from '../parquet/metadata.ts'
import { globPrefix, globToRegExp, hasGlob } from '../storage/glob.ts'
import type { ObjectMeta, Store } from '../storage/store.ts'
import { isDataFile } from './hive.ts'
import { discoverPartitions, type PartitionValue } from './partition-types.ts'
import { readSnapshot } from './snapshot.ts'

/** The files of a source and what is known of them without opening each. */
export interface Listing {
  files: SourceFile[]
  /** Value types; columns of the files first, then the partition keys. */
  schema: Schema
  /** The first file's footer, which the schema is from. */
  first: FileMetadata
  /** For the footers of the other files. */
  memo: SchemaMemo
}

export interface SourceFile {
  id: number
  object: ObjectMeta
  /** Partition keys' values. */
  constants: { name: string; type: DataType; value: PartitionValue }[]
}

/** Column types by name, or an Arrow schema. */
export type SchemaOption = Schema | Readonly<Record<string, DataType>>

/**
 * Lists the data files, in the order of their keys, and settles the schema from the first of them.
 *
 * @param given a listing made before, of which the folders' names are no columns
 */
export async function listSource(
  store: Store,
  files: string | readonly string[] | undefined,
  declared: SchemaOption | undefined,
  run: Run,
  given?: readonly ObjectMeta[],
): Promise<Listing> {
  const objects = given ?? (await listObjects(store, files, run.signal))
  if (objects.length === 0) {
    throw new SluiceError('not-found', 'there are no Parquet files', {
      file: store.url,
      hint: files === undefined ? 'Check the path.' : `Nothing matches ${[files].flat().join(', ')}.`,
    })
  }
  const known = declaredFields(declared)
  const keys = objects.map(({ key }) => (given === undefined ? key : key.slice(key.lastIndexOf('/') + 1)))
  const { fields: keyFields, values } = discoverPartitions(keys, known)
  const sources = objects.map((object, id) => ({
    id,
    object,
    constants: keyFields.map((field, i) => ({ name: field.name, type: field.type, value: values[id]![i]! })),
  }))
  const memo: SchemaMemo = {}
  const first = await readMetadata(store, objects[0]!, run, memo)
  const own = arrowSchema(first, fileName(store, objects[0]!))
  const columns = own.fields
    .filter(field => !keyFields.some(key => key.name === field.name))
    .map(field => new Field(field.name, field.type, field.nullable || objects.length > 1, field.metadata))
  const schema = new Schema([...columns, ...keyFields])
  for (const field of known) checkDeclared(field, schema, fileName(store, objects[0]!))
  return { files: sources, schema, first, memo }
}

/** Reads a file's footer, in one request where it is small. */
export async function readMetadata(
  store: Store,
  object: ObjectMeta,
  run: Run,
  memo: SchemaMemo,
): Promise<FileMetadata> {
  const file = fileName(store, object)
  let wanted = Math.min(FOOTER_TAIL, object.size)
  while (true) {
    const range = { start: object.size - wanted, end: object.size }
    const [tail] = await run.attempt(() =>
      store.getRanges(object.key, [range], { ifMatch: object.etag, signal: run.signal }),
    )
    run.bytesRead += wanted
    const footer = readFooter(tail!, object.size, file, memo)
    if ('metadata' in footer) return footer.metadata
    wanted = Math.min(footer.need, object.size)
  }
}

/** How messages name a file. */
export function fileName(store: Store, object: ObjectMeta): string {
  return `${store.url}${store.url.endsWith('/') ? '' : '/'}${object.key}`
}

/** A file has to have every column of the source, with the same type; more columns and another order are fine. */
export function checkFile(metadata: FileMetadata, columns: readonly Field[], file: string): void {
  const own = arrowSchema(metadata, file)
  for (const field of columns) {
    const found = own.fields.find(({ name }) => name === field.name)
    if (found === undefined) {
      const { hint } = unknownColumn(field.name, own)
      throw new SluiceError('schema', 'is not in this file, though it is in the first one of the source', {
        file,
        column: field.name,
        ...(hint === undefined ? {} : { hint }),
      })
    }
    if (String(found.type) !== String(field.type)) {
      throw new SluiceError(
        'schema',
        `is of type ${found.type} in this file and ${field.type} in the first one`,
        {
          file,
          column: field.name,
          hint: 'Read the files with different schemas as sources of their own.',
        },
      )
    }
  }
}

async function listObjects(
  store: Store,
  files: string | readonly string[] | undefined,
  signal: AbortSignal,
): Promise<ObjectMeta[]> {
  if (files === undefined) return (await readSnapshot(store, { signal })).objects
  const patterns = [files].flat()
  const found = new Map<string, ObjectMeta>()
  for (const pattern of patterns) {
    if (hasGlob(pattern)) {
      const expression = globToRegExp(pattern)
      const match = (key: string) => expression.test(key) && (isDataFile(key) || !pattern.endsWith('*'))
      const { objects } = await readSnapshot(store, { prefix: globPrefix(pattern), match, signal })
      for (const object of objects) found.set(object.key, object)
    } else {
      found.set(pattern, await store.head(pattern, { signal }))
    }
  }
  return [...found.values()]
}

function declaredFields(declared: SchemaOption | undefined): Field[] {
  if (declared === undefined) return []
  if (declared instanceof Schema) return declared.fields
  return Object.entries(declared).map(([name, type]) => new Field(name, type, true))
}

function checkDeclared(field: Field, schema: Schema, file: string): void {
  const found = schema.fields.find(({ name }) => name === field.name)
  if (found === undefined) throw unknownColumn(field.name, schema)
  if (String(found.type) === String(field.type)) return
  throw new SluiceError('schema', `is declared as ${field.type}, but is ${found.type}`, {
    option: 'schema',
    file,
    column: field.name,
    hint: 'Declare the type that the files have, and cast in the pipeline.',
  })
}
