import { Field, Schema } from 'apache-arrow'
import { forEachConcurrently } from '../core/concurrency.ts'
import { bindPredicate } from '../core/expressions/bind.ts'
import type { BoundExpr } from '../core/expressions/bound.ts'
import { Expr } from '../core/expressions/expr.ts'
import { columnsIn } from '../core/expressions/node.ts'
import { prune } from '../core/expressions/prune.ts'
import { pushable } from '../core/pushdown.ts'
import type { SourceListing } from '../core/source.ts'
import type { Stage } from '../core/stages.ts'
import type { ObjectMeta, Store } from '../storage/store.ts'
import { Branch, branchesInOrder } from '../storage/tree.ts'
import { constantBounds } from './bounds.ts'
import { isDataFile, isHidden, parsePartitionPath } from './hive.ts'
import { inferType, parsePartitionValue } from './partition-types.ts'

/** Keys that are listed before anything is decided: a request, which for many datasets is the only one. */
const PROBE = 1000
/** Most folders whose folders are listed; a dataset of more is better listed by its keys. */
const MOST_FOLDERS = 1000
const AT_ONCE = 16

/** What is listed, and what is left out. */
export interface PartitionFilter {
  /** The stages right behind the source. */
  stages: readonly Stage[]
  /** Types that have been declared. */
  declared: readonly Field[]
}

/** How a dataset has been listed; known at its end. */
export interface ListedBy extends SourceListing {
  /** The partition keys, if files were left out, with the types that all files together have. */
  fields?: Field[]
}

/** A folder of partitions. */
interface Partition {
  /** Ends in `/`. */
  prefix: string
  /** Values of the outer keys, as text. */
  values: readonly (string | null)[]
}

/**
 * Lists a dataset's keys, in order, without those in partitions that a filter rules out, where it takes fewer requests to
 * leave them out than to list them. The first data file is among them in any case: it has the schema.
 *
 * Types of keys come from all values together. So, unless all of them are declared, the folders of all partitions are
 * listed, and only their files are not; a declared type lets whole subtrees be left out unseen.
 */
export async function* listDataset(
  store: Store,
  filter: PartitionFilter,
  signal: AbortSignal,
  tell: (by: ListedBy) => void,
): AsyncGenerator<ObjectMeta, void, undefined> {
  const keys = store.list({ signal })[Symbol.asyncIterator]()
  const probe: ObjectMeta[] = []
  let ended = false
  try {
    while (!ended && probe.length < PROBE) {
      const step = await keys.next()
      if (step.done) ended = true
      else probe.push(step.value)
    }
    const chosen = ended ? 'there are few keys' : await choose(store, probe, filter, signal)
    if (typeof chosen !== 'string') {
      await keys.return?.()
      tell(chosen.by)
      yield* filesIn(store, chosen, signal)
      return
    }
    tell({ by: 'keys', because: chosen })
    yield* probe
    for (let step = ended ? undefined : await keys.next(); step?.done === false; step = await keys.next()) {
      yield step.value
    }
    ended = true
  } finally {
    if (!ended) await keys.return?.()
  }
}

/** The partitions to list. */
interface Chosen {
  by: ListedBy
  first: ObjectMeta
  partitions: readonly Partition[]
}

/** Decides; a text says why nothing is left out. */
async function choose(
  store: Store,
  probe: readonly ObjectMeta[],
  { stages, declared }: PartitionFilter,
  signal: AbortSignal,
): Promise<Chosen | string> {
  const files = probe.filter(({ key }) => isDataFile(key))
  const first = files[0]
  if (first === undefined) return 'there is no data file among the first keys'
  const names = parsePartitionPath(first.key).keys.map(([name]) => name)
  const predicates = keyPredicates(stages, names)
  if (predicates.length === 0) return 'no filter is on partition keys alone'
  if (names.length !== first.key.split('/').length - 1) return 'there are folders that are no partitions'
  const types = names.map(name => declared.find(field => field.name === name))
  const known = types.filter(field => field !== undefined)
  const allKnown = known.length === names.length
  let level: Partition[] = [{ prefix: '', values: [] }]
  /** Partitions that there are, or are likely to be where not all folders are looked into. */
  let total = 1
  let pruned = 0
  for (const [depth, name] of names.entries()) {
    if (level.length > MOST_FOLDERS) return 'there are too many folders of folders'
    const below = await partitionsBelow(store, level, name, signal)
    if (below === undefined) return 'there are folders that are no partitions'
    if (level.length > 0) total *= below.length / level.length
    level = allKnown ? below.filter(keeper(predicates, known.slice(0, depth + 1))) : below
    pruned += below.length - level.length
  }
  const fields = names.map((name, i) => {
    const values = level.map(partition => partition.values[i] ?? null)
    return types[i] ?? new Field(name, inferType(values), values.includes(null))
  })
  if (!allKnown) {
    level = level.filter(keeper(predicates, fields))
    pruned = total - level.length
  }
  // What is seen of the first keys is what is expected of the others.
  const filled = new Set(files.map(({ key }) => key.slice(0, key.lastIndexOf('/')))).size
  const pages = files.length / filled / PROBE
  if (level.length * Math.ceil(pages) >= total * pages) return 'that takes fewer requests'
  const folders = { listed: level.length, pruned }
  const because = `the filter leaves ${folders.listed} of them, and rules out ${pruned}`
  return { by: { by: 'folders', because, folders, fields }, first, partitions: level }
}

/** What filters say of partition keys alone, each condition by itself. */
function keyPredicates(stages: readonly Stage[], names: readonly string[]): Expr[] {
  const single = stages.flatMap((stage): Stage[] =>
    stage.op === 'filter' && stage.predicate.op === 'and'
      ? stage.predicate.args.map(predicate => ({ op: 'filter', predicate }))
      : [stage],
  )
  const schema = new Schema(names.map(name => new Field(name, inferType([]), true)))
  return pushable(single, schema).map(({ predicate }) => new Expr(predicate))
}

/** The folders of some folders, in order; undefined if not all of them are partitions by one key. */
async function partitionsBelow(
  store: Store,
  level: readonly Partition[],
  name: string,
  signal: AbortSignal,
): Promise<Partition[] | undefined> {
  const below: Partition[][] = []
  let regular = true
  await forEachConcurrently([...level.entries()], AT_ONCE, async ([i, { prefix, values }]) => {
    const { objects, prefixes } = await store.listLevel({ prefix, signal })
    regular &&= !objects.some(({ key }) => isDataFile(key))
    below[i] = prefixes
      .filter(folder => !isHidden(`${folder}x`))
      .map(folder => {
        const key = parsePartitionPath(folder.slice(prefix.length)).keys[0]
        regular &&= key?.[0] === name
        return { prefix: folder, values: [...values, key?.[1] ?? null] }
      })
  })
  return regular ? below.flat() : undefined
}

/** Whether a partition can hold wanted rows, as far as the keys tell whose fields these are. */
function keeper(predicates: readonly Expr[], fields: readonly Field[]): (partition: Partition) => boolean {
  const schema = new Schema([...fields])
  const bound = predicates
    .filter(({ node }) => columnsIn(node).every(name => fields.some(field => field.name === name)))
    .map((predicate): BoundExpr => bindPredicate(predicate, schema))
  return ({ values }) => {
    const constants = fields.map(({ name, type }, i) => ({
      ...{ name, type },
      value: parsePartitionValue(type, values[i] ?? null, name),
    }))
    const bounds = constantBounds(constants)
    return bound.every(predicate => prune(predicate, bounds) !== 'none')
  }
}

async function* filesIn(
  store: Store,
  { first, partitions }: Chosen,
  signal: AbortSignal,
): AsyncGenerator<ObjectMeta, void, undefined> {
  if (!partitions.some(({ prefix }) => first.key.startsWith(prefix))) yield first
  const branches = partitions.map(({ prefix }) => new Branch(() => store.list({ prefix, signal })))
  yield* branchesInOrder(new Branch(async () => branches), AT_ONCE)
}
