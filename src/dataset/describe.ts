import { mapOrdered } from '../core/ordered.ts'
import { Run, resolveExecution } from '../core/run.ts'
import type { Codec, Encoding, FileMetadata } from '../parquet/metadata.ts'
import type { SignalOption, Store } from '../storage/store.ts'
import { absentColumns } from './file-schema.ts'
import { fileName, listSource, readMetadata } from './scan-listing.ts'

/** What the footers of a dataset say. */
export interface DatasetDescription {
  files: number
  rowGroups: number
  rows: number
  /** Bytes of the files. */
  bytes: number
  /** Those of the files first, then the partition keys. */
  columns: ColumnDescription[]
}

export interface ColumnDescription {
  name: string
  /** The Arrow type. */
  type: string
  nullable: boolean
  partitionKey: boolean
  /** Null values; undefined where a file does not say, for nested columns, and for partition keys. */
  nulls: number | undefined
  /** Compressed bytes. */
  bytes: number
  /** All that occur, levels' encodings among them. */
  encodings: Encoding[]
  compression: Codec[]
}

export interface DescribeOptions extends SignalOption {
  /** Which files: a key or a glob, or a list of them. @default every data file */
  files?: string | readonly string[] | undefined
}

const FOOTERS_AHEAD = 8

/** Reads the listing and every footer of a dataset, and no data. Fails as `source` does. */
export async function describeDataset(
  store: Store,
  { files: wanted, signal }: DescribeOptions = {},
): Promise<DatasetDescription> {
  await using run = new Run(resolveExecution({}), { signal })
  const { files, schema, memo } = await listSource(store, { files: wanted }, run)
  const keys = new Set(files[0]?.constants.map(({ name }) => name))
  const own = schema.fields.filter(({ name }) => !keys.has(name))
  const sums = new Map(own.map(({ name }) => [name, new ColumnSum(name)]))
  let rowGroups = 0
  let rows = 0
  let bytes = 0
  const footers = mapOrdered(files, FOOTERS_AHEAD, async ({ object }) => ({
    object,
    metadata: await readMetadata(store, object, run, memo),
  }))
  for await (const { object, metadata } of footers) {
    absentColumns(metadata, own, fileName(store, object), {})
    rowGroups += metadata.rowGroups.length
    rows += metadata.numRows
    bytes += object.size
    for (const sum of sums.values()) sum.add(metadata)
  }
  const columns = schema.fields.map(({ name, type, nullable }) => {
    const { nulls, bytes = 0, encodings = [], compression = [] } = sums.get(name) ?? {}
    return {
      name,
      type: String(type),
      nullable,
      partitionKey: keys.has(name),
      nulls,
      bytes,
      encodings: [...encodings].sort(),
      compression: [...compression].sort(),
    }
  })
  return { files: files.length, rowGroups, rows, bytes, columns }
}

/** What the chunks of a column add up to. */
class ColumnSum {
  readonly #name: string
  nulls: number | undefined = 0
  bytes = 0
  readonly encodings: Set<Encoding> = new Set()
  readonly compression: Set<Codec> = new Set()

  constructor(name: string) {
    this.#name = name
  }

  add({ columns, rowGroups }: FileMetadata): void {
    for (const { index, flat } of columns.filter(({ path }) => path[0] === this.#name)) {
      for (const group of rowGroups) {
        const chunk = group.columns[index]!
        const nulls = flat ? chunk.statistics?.nullCount : undefined
        this.nulls = this.nulls === undefined || nulls === undefined ? undefined : this.nulls + nulls
        this.bytes += chunk.totalCompressedSize
        this.compression.add(chunk.codec)
        for (const encoding of chunk.encodings) this.encodings.add(encoding)
      }
    }
  }
}
