import { DataType, Field } from 'apache-arrow'
import { SluiceError } from '../core/errors.ts'
import { mapOrdered } from '../core/ordered.ts'
import type { Run } from '../core/run.ts'
import { wider } from '../core/widen.ts'
import { arrowSchema } from '../parquet/arrow-schema.ts'
import type { SchemaMemo } from '../parquet/file-metadata.ts'
import type { FileMetadata } from '../parquet/metadata.ts'
import type { ObjectMeta, Store } from '../storage/store.ts'
import { fileName, readMetadata, type SettledFiles } from './scan-listing.ts'

/** Footers read at once. */
const FOOTERS_AHEAD = 8
/** Column chunks whose metadata is kept for when the files are read. */
const MOST_KEPT = 16_384

/** Reads the footers of files that are to become fewer, and finds the schema that takes all of their rows. */
export async function settleFiles(
  store: Store,
  objects: readonly ObjectMeta[],
  run: Run,
  memo: SchemaMemo,
): Promise<SettledFiles> {
  const footers = new Map<string, FileMetadata>()
  const seen = new WeakSet<FileMetadata['schema']>()
  let columns: Field[] | undefined
  let shared: Map<string, string> | undefined
  let room = MOST_KEPT
  const read = mapOrdered(objects, FOOTERS_AHEAD, async object => ({
    object,
    metadata: await readMetadata(store, object, run, memo),
  }))
  for await (const { object, metadata } of read) {
    const file = fileName(store, object)
    if (!seen.has(metadata.schema)) {
      seen.add(metadata.schema)
      const { fields } = arrowSchema(metadata, file)
      columns = columns === undefined ? fields : uniteColumns(columns, fields, file)
    }
    const own = new Map(metadata.keyValueMetadata)
    shared ??= own
    for (const [key, value] of shared) if (own.get(key) !== value) shared.delete(key)
    room -= metadata.rowGroups.length * metadata.columns.length
    if (room >= 0) footers.set(object.key, metadata)
  }
  return { columns: columns ?? [], keyValueMetadata: [...(shared ?? [])], footers }
}

/** The columns of both, in the order of the first; those that only one has may be null. */
function uniteColumns(a: readonly Field[], b: readonly Field[], file: string): Field[] {
  const united = a.map(field => {
    const other = b.find(({ name }) => name === field.name)
    return other === undefined ? nullable(field) : uniteFields(field, other, file)
  })
  const more = b.filter(({ name }) => !a.some(field => field.name === name))
  return [...united, ...more.map(nullable)]
}

function uniteFields(a: Field, b: Field, file: string): Field {
  const type = DataType.isNull(a.type) ? b.type : DataType.isNull(b.type) ? a.type : wider(a.type, b.type)
  if (type !== undefined) return new Field(a.name, type, a.nullable || b.nullable, a.metadata)
  throw new SluiceError('schema', `is of type ${b.type} in this file and ${a.type} in others`, {
    file,
    column: a.name,
    hint: 'Compact partitions of different types for themselves, or write their files anew as one type.',
  })
}

function nullable({ name, type, metadata }: Field): Field {
  return new Field(name, type, true, metadata)
}
