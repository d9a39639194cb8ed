import { type DataType, Field, Schema } from 'apache-arrow'
import { SluiceError } from '../core/errors.ts'
import type { Run } from '../core/run.ts'
import type { SourceListing } from '../core/source.ts'
import type { Stage } from '../core/stages.ts'
import { arrowSchema } from '../parquet/arrow-schema.ts'
import type { SchemaMemo } from '../parquet/file-metadata.ts'
import { FOOTER_TAIL, readFooter } from '../parquet/footer.ts'
import type { FileMetadata } from '../parquet/metadata.ts'
import { glob } from '../storage/find.ts'
import { hasGlob } from '../storage/glob.ts'
import type { ObjectMeta, Store } from '../storage/store.ts'
import { absentColumns, declaredFields, type SchemaRules, sourceColumns } from './file-schema.ts'
import { isDataFile } from './hive.ts'
import { type ListedBy, listDataset, type PartitionFilter } from './partition-listing.ts'
import { discoverPartitions, type PartitionValue } from './partition-types.ts'
import { readSnapshot } from './snapshot.ts'

/** The files of a source and what is known of them without opening each. */
export interface Listing {
  files: SourceFile[]
  listedBy: SourceListing
  /** Value types; columns of the files first, then the partition keys. */
  schema: Schema
  /** Its columns that are not partition keys. */
  own: Field[]
  /** The first file's footer, which the schema is from. */
  first: FileMetadata
  /** For the footers of the other files. */
  memo: SchemaMemo
  /** Those of them that have been read already, by the files' keys. */
  footers: Map<string, FileMetadata>
}

/** What is known of files from all of their footers. */
export interface SettledFiles {
  /** Every column that one of them has, as a type that has the values of all. */
  columns: Field[]
  /** What all of them say of themselves alike. */
  keyValueMetadata: [string, string][]
  /** As many as may be kept. */
  footers: Map<string, FileMetadata>
}

export interface SourceFile {
  id: number
  /** What a job's plan calls it: its key in the store, with the part's number before that if there are several. */
  key: string
  /** The number of the scan's part that it is of. */
  part: number
  store: Store
  object: ObjectMeta
  /** Values of the partition keys, and null for columns that the file lacks. */
  constants: { name: string; type: DataType; value: PartitionValue }[]
}

/** What a source has been told. */
export interface ScanOptions extends SchemaRules {
  files?: string | readonly string[] | undefined
  /** A listing made before, of which the folders' names are no columns. */
  objects?: readonly ObjectMeta[]
  /** Finds the columns of such files, instead of taking those of the first one. */
  settle?: (run: Run, memo: SchemaMemo) => Promise<SettledFiles>
}

/**
 * Lists the data files, in the order of their keys, and settles the schema, from the first of them if no other way.
 * Files may be left out of which the stages want no row.
 */
export async function listSource(
  store: Store,
  options: ScanOptions,
  run: Run,
  stages: readonly Stage[] = [],
): Promise<Listing> {
  const { files, objects: given } = options
  const declared = declaredFields(options.schema)
  const { objects, by } =
    given !== undefined
      ? { objects: given, by: GIVEN }
      : files !== undefined
        ? { objects: await listFiles(store, [files].flat(), run.signal), by: GIVEN }
        : await listAll(store, { stages, declared }, run.signal)
  if (objects.length === 0) {
    throw new SluiceError('not-found', 'there are no Parquet files', {
      file: store.url,
      hint: files === undefined ? 'Check the path.' : `Nothing matches ${[files].flat().join(', ')}.`,
    })
  }
  const keys = objects.map(({ key }) => (given === undefined ? key : key.slice(key.lastIndexOf('/') + 1)))
  const { fields: keyFields, values } = discoverPartitions(keys, [...declared, ...(by.fields ?? [])])
  const sources: SourceFile[] = objects.map((object, id) => ({
    ...{ id, key: object.key, part: 0, store, object },
    constants: keyFields.map((field, i) => ({ name: field.name, type: field.type, value: values[id]![i]! })),
  }))
  const memo: SchemaMemo = {}
  const name = fileName(store, objects[0]!)
  const settled = await options.settle?.(run, memo)
  const footers = settled?.footers ?? new Map<string, FileMetadata>()
  const first = footers.get(objects[0]!.key) ?? (await readMetadata(store, objects[0]!, run, memo))
  const found = arrowSchema(first, name).fields.map(
    field =>
      new Field(
        field.name,
        field.type,
        field.nullable || objects.length > 1 || by.by === 'folders',
        field.metadata,
      ),
  )
  const own = settled?.columns ?? sourceColumns(found, keyFields, options, name)
  sources[0] = withNulls(sources[0]!, absentColumns(first, own, name, options))
  const schema = new Schema([...own, ...keyFields])
  return { files: sources, listedBy: by, schema, own, first, memo, footers }
}

/** A file with columns that are null in all of its rows, as if they were partition keys. */
export function withNulls(file: SourceFile, columns: readonly Field[]): SourceFile {
  const nulls = columns
    .filter(({ name }) => !file.constants.some(constant => constant.name === name))
    .map(({ name, type }) => ({ name, type, value: null }))
  return nulls.length === 0 ? file : { ...file, constants: [...file.constants, ...nulls] }
}

/** Reads a file's footer, in one request where it is small; into memory that is `held` for the file, all of it. */
export async function readMetadata(
  store: Store,
  object: ObjectMeta,
  run: Run,
  memo: SchemaMemo,
  held?: Uint8Array,
): Promise<FileMetadata> {
  const file = fileName(store, object)
  const own = (bytes: number): Uint8Array => (bytes === held?.length ? held : new Uint8Array(bytes))
  const into = held === undefined ? {} : { allocate: own }
  let wanted = held?.length ?? Math.min(FOOTER_TAIL, object.size)
  while (true) {
    const range = { start: object.size - wanted, end: object.size }
    const [tail] = await run.attempt(() =>
      store.getRanges(object.key, [range], { ifMatch: object.etag, signal: run.signal, ...into }),
    )
    run.bytesRead += wanted
    // A store may give memory of its own.
    if (held !== undefined && tail!.buffer !== held.buffer) held.set(tail!)
    const footer = readFooter(tail!, object.size, file, memo)
    if ('metadata' in footer) return footer.metadata
    wanted = Math.min(footer.need, object.size)
  }
}

/** How messages name a file. */
export function fileName(store: Store, object: ObjectMeta): string {
  return `${store.url}${store.url.endsWith('/') ? '' : '/'}${object.key}`
}

const GIVEN: ListedBy = { by: 'keys', because: 'the files are named' }

/** The files of the whole dataset that may hold wanted rows. */
async function listAll(
  store: Store,
  filter: PartitionFilter,
  signal: AbortSignal,
): Promise<{ objects: readonly ObjectMeta[]; by: ListedBy }> {
  let by = GIVEN
  const tell = (listed: ListedBy): void => {
    by = listed
  }
  const { objects } = await readSnapshot(store, {
    list: () => listDataset(store, filter, signal, tell),
    signal,
  })
  return { objects, by }
}

async function listFiles(
  store: Store,
  patterns: readonly string[],
  signal: AbortSignal,
): Promise<ObjectMeta[]> {
  const found = new Map<string, ObjectMeta>()
  for (const pattern of patterns) {
    if (hasGlob(pattern)) {
      const match = (key: string) => isDataFile(key) || !pattern.endsWith('*')
      const list = () => glob(store, pattern, { signal })
      const { objects } = await readSnapshot(store, { list, match, signal })
      for (const object of objects) found.set(object.key, object)
    } else {
      found.set(pattern, await store.head(pattern, { signal }))
    }
  }
  return [...found.values()]
}
