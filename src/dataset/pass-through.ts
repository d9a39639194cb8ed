import { isUtf8 } from 'node:buffer'
import type { Field, Schema } from 'apache-arrow'
import type { PipelinePlan } from '../core/planner.ts'
import { origins } from '../core/pushdown.ts'
import { arrowSchema } from '../parquet/arrow-schema.ts'
import type { ColumnChunkMetadata, ColumnDescriptor, FileMetadata } from '../parquet/metadata.ts'
import { parquetSchema } from '../parquet/parquet-schema.ts'
import { type SchemaNode, schemaTree } from '../parquet/schema-tree.ts'
import { columnBounds } from './bounds.ts'
import { partitionPath } from './hive.ts'
import type { RowGroupSize } from './partition-buffers.ts'
import { formatPartitionValue, type PartitionValue } from './partition-types.ts'
import type { ListedPart } from './scan-part.ts'
import { type Fragment, fileColumns, type PlannedUnit, rowsIn } from './units.ts'

/** Row groups of one partition that become one row group without being decoded. */
export interface PlannedPassage {
  path: string
  /** Whether others may be joined to it. */
  joinable: boolean
  /** Whether it is one row group whose bytes are good as they are: nothing has to be joined or given levels. */
  verbatim: boolean
  /** Whether decoding may change values: INT96 has dates that 64 bits of nanoseconds do not have. */
  fragile: boolean
  /** What it is joined of, if that is more than one. */
  parts?: readonly PlannedPassage[]
  groups: PassingRowGroup[]
  rows: number
  /** To be read. */
  storedBytes: number
  decodedBytes: 0
}

export interface PassingRowGroup {
  fragment: Fragment
  rowGroup: number
  /** The leaves of the output's columns, in order. */
  leaves: number[]
  /** The same as work that decodes. */
  unit: PlannedUnit
}

/** A row group with less than this share of what one may have is joined with others. */
const SMALL = 1 / 4
/** Most bytes of row groups that are joined; less if files are to be smaller. */
const JOINED_BYTES = 16 * 2 ** 20
/** Chunks of small row groups that wait for others of their partitions: the main thread has their metadata. */
const MOST_WAITING = 16_384

/** Small row groups of one partition. */
interface Waiting {
  parts: PlannedPassage[]
  rows: number
  storedBytes: number
}

/** Files that share a schema. */
interface PassingPart {
  schema: Schema
  /** Its columns by the output's names; undefined if one of those is computed. */
  origins: ReadonlyMap<string, string> | undefined
}

/** What a file says of its columns, as far as it matters here. */
interface SourceColumns {
  leaves: number[]
  verbatim: boolean
  fragile: boolean
  /** No column is nested. */
  joinable: boolean
}

/**
 * Finds the row groups of a scan that go into a dataset as the bytes they are: all of their rows pass the filters, no
 * column of the output is computed, all of them are of one partition, and their columns are stored as the dataset's
 * files store them.
 */
export class PassThrough {
  readonly #parts: readonly PassingPart[]
  readonly #keys: readonly string[]
  readonly #fields: readonly Field[]
  readonly #nodes: SchemaNode[]
  readonly #size: RowGroupSize
  readonly #joinedBytes: number
  /** By the schema of files, which like files share. */
  readonly #files = new WeakMap<FileMetadata['schema'], { columns: SourceColumns | undefined }>()

  /** Undefined where the pipeline leaves no row group as it is. */
  static of(
    plan: PipelinePlan,
    parts: readonly ListedPart[],
    fields: readonly Field[],
    keys: readonly string[],
    size: RowGroupSize,
    targetFileBytes: number,
  ): PassThrough | undefined {
    const passing = parts.map(({ schema, stages }): PassingPart => {
      const own = origins([...stages, ...plan.head], schema)
      const whole = plan.schema.fields.every(({ name }) => own.has(name))
      return { schema, origins: whole ? own : undefined }
    })
    if (plan.groups !== undefined || passing.every(part => part.origins === undefined)) return undefined
    return new PassThrough(passing, fields, keys, size, Math.min(JOINED_BYTES, targetFileBytes))
  }

  private constructor(
    parts: readonly PassingPart[],
    fields: readonly Field[],
    keys: readonly string[],
    size: RowGroupSize,
    joinedBytes: number,
  ) {
    this.#parts = parts
    this.#fields = fields
    this.#keys = keys
    this.#size = size
    this.#joinedBytes = joinedBytes
    this.#nodes = schemaTree(parquetSchema(fields).schema).children
  }

  /** The same work, with row groups that pass through taken out and joined where they are small. */
  async *plan(units: AsyncIterable<PlannedUnit>): AsyncGenerator<PlannedUnit | PlannedPassage> {
    const waiting = new Map<string, Waiting>()
    let chunks = 0
    const take = (path: string): readonly (PlannedUnit | PlannedPassage)[] => {
      const { parts } = waiting.get(path)!
      waiting.delete(path)
      for (const part of parts) chunks -= chunksOf(part)
      if (parts.length === 1) return parts
      return parts.every(({ joinable }) => joinable) ? [joined(parts)] : parts.flatMap(alone)
    }
    for await (const unit of units) {
      const passage = this.#passage(unit)
      if (passage === undefined) {
        yield unit
        continue
      }
      const { path, rows, storedBytes } = passage
      if (rows >= this.#size.rows * SMALL || storedBytes >= this.#joinedBytes * SMALL) {
        yield passage
        continue
      }
      const known = waiting.get(path)
      if (known !== undefined && this.#exceeds(known, passage)) yield* take(path)
      const others = waiting.get(path) ?? { parts: [], rows: 0, storedBytes: 0 }
      waiting.set(path, others)
      others.parts.push(passage)
      others.rows += rows
      others.storedBytes += storedBytes
      chunks += chunksOf(passage)
      while (chunks > MOST_WAITING) yield* take(waiting.keys().next().value!)
    }
    for (const path of [...waiting.keys()]) yield* take(path)
  }

  #exceeds(a: Waiting, b: PlannedPassage): boolean {
    return a.rows + b.rows > this.#size.rows || a.storedBytes + b.storedBytes > this.#joinedBytes
  }

  #passage(unit: PlannedUnit): PlannedPassage | undefined {
    const { fragment, rowGroups } = unit
    const [plan] = rowGroups
    const { metadata } = fragment
    const group = metadata.rowGroups[plan!.rowGroup]!
    if (rowGroups.length !== 1 || !plan!.certain || rowsIn(plan!.ranges) !== group.numRows) return undefined
    const columns = this.#columnsOf(fragment)
    const path = columns && (unit.partition ?? this.#pathOf(fragment, plan!.rowGroup))
    if (columns === undefined || path === undefined) return undefined
    const chunks = columns.leaves.map(leaf => group.columns[leaf]!)
    if (columns.leaves.some((leaf, i) => !isWhole(chunks[i]!, metadata.columns[leaf]!, group.numRows))) {
      return undefined
    }
    return {
      path,
      joinable: columns.joinable,
      verbatim: columns.verbatim,
      fragile: columns.fragile,
      groups: [{ fragment, rowGroup: plan!.rowGroup, leaves: columns.leaves, unit }],
      rows: group.numRows,
      storedBytes: chunks.reduce((sum, { totalCompressedSize }) => sum + totalCompressedSize, 0),
      decodedBytes: 0,
    }
  }

  #columnsOf(fragment: Fragment): SourceColumns | undefined {
    const { schema } = fragment.metadata
    let known = this.#files.get(schema)
    if (known === undefined) {
      known = { columns: this.#compare(fragment) }
      this.#files.set(schema, known)
    }
    return known.columns
  }

  /** The leaves of the output's columns, if all of them are stored as they would be written. */
  #compare(fragment: Fragment): SourceColumns | undefined {
    const { metadata, file } = fragment
    const { origins } = this.#parts[file.part]!
    if (origins === undefined) return undefined
    const leaves: number[] = []
    let verbatim = true
    let joinable = true
    const { children } = schemaTree(metadata.schema)
    const { fields } = arrowSchema(metadata)
    for (const [index, field] of this.#fields.entries()) {
      const [origin] = fileColumns([origins.get(field.name)!], fragment)
      const node = children.find(({ element }) => element.name === origin)
      const own = fields.find(({ name }) => name === origin)
      const wanted = this.#nodes[index]!
      if (node === undefined || String(own?.type) !== String(field.type)) return undefined
      const needsLevels =
        node.children.length === 0 &&
        node.element.repetition === 'REQUIRED' &&
        wanted.element.repetition === 'OPTIONAL'
      if (!isStoredAs(node, wanted, needsLevels)) return undefined
      if (needsLevels) verbatim = false
      if (node.children.length > 0 || node.element.repetition === 'REPEATED') joinable = false
      for (let leaf = node.firstLeaf; leaf < node.endLeaf; leaf++) leaves.push(leaf)
    }
    const fragile = leaves.some(leaf => metadata.columns[leaf]!.element.type === 'INT96')
    return verbatim || joinable ? { leaves, verbatim, fragile, joinable } : undefined
  }

  /** The partition of all rows of a row group, if they have one. */
  #pathOf({ metadata, file }: Fragment, rowGroup: number): string | undefined {
    if (this.#keys.length === 0) return ''
    const { schema, origins } = this.#parts[file.part]!
    const boundsOf = columnBounds(metadata, rowGroup, file.constants)
    const values: (string | null)[] = []
    for (const key of this.#keys) {
      const origin = origins!.get(key)!
      const { type } = schema.fields.find(({ name }) => name === origin)!
      const bounds = boundsOf(origin)
      if (bounds?.nullCount === undefined) return undefined
      if (bounds.nullCount === bounds.rows) {
        values.push(null)
        continue
      }
      const { min, max, isMinExact, isMaxExact } = bounds
      if (bounds.nullCount > 0 || min === undefined || max === undefined) return undefined
      const exact = !(min instanceof Uint8Array) || (isMinExact === true && isMaxExact === true)
      const value = constantOf(min, max)
      if (!exact || value === undefined) return undefined
      values.push(formatPartitionValue(type, value, key))
    }
    return partitionPath(this.#keys, values)
  }
}

/** What is to be done with a row group that was to be joined with others, and cannot be. */
export function alone(passage: PlannedPassage): (PlannedUnit | PlannedPassage)[] {
  return passage.fragile && passage.verbatim ? [passage] : passage.groups.map(({ unit }) => unit)
}

function joined(parts: readonly PlannedPassage[]): PlannedPassage {
  return {
    ...parts[0]!,
    ...{ verbatim: false, parts, groups: parts.flatMap(({ groups }) => groups) },
    rows: parts.reduce((sum, { rows }) => sum + rows, 0),
    storedBytes: parts.reduce((sum, { storedBytes }) => sum + storedBytes, 0),
  }
}

/** Column chunks whose metadata is kept for a passage. */
function chunksOf({ groups }: PlannedPassage): number {
  return groups.reduce((sum, { fragment }) => sum + fragment.metadata.columns.length, 0)
}

/** What is not, is decoded, which says what is wrong with it. */
function isWhole(
  { encrypted, filePath, numValues }: ColumnChunkMetadata,
  { flat }: ColumnDescriptor,
  rows: number,
): boolean {
  return encrypted !== true && filePath === undefined && (!flat || numValues === rows)
}

/** Whether a column has the same physical types and the same levels, so that its pages mean the same. */
function isStoredAs(own: SchemaNode, wanted: SchemaNode, needsLevels: boolean): boolean {
  const [a, b] = [own.element, wanted.element]
  return (
    a.type === b.type &&
    a.typeLength === b.typeLength &&
    (a.repetition === b.repetition || needsLevels) &&
    own.children.length === wanted.children.length &&
    own.children.every((child, i) => isStoredAs(child, wanted.children[i]!, false))
  )
}

type Bound = NonNullable<NonNullable<ReturnType<ReturnType<typeof columnBounds>>>['min']>

function constantOf(min: Bound, max: Bound): PartitionValue | undefined {
  if (min instanceof Uint8Array && max instanceof Uint8Array) {
    return Buffer.compare(min, max) === 0 && isUtf8(min) ? new TextDecoder().decode(min) : undefined
  }
  return min === max ? (min as Exclude<PartitionValue, null>) : undefined
}
