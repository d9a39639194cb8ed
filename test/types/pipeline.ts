/** Checked by the compiler alone: what follows never runs. Each `@ts-expect-error` is a mistake that has to be one. */
import { DateDay, Float64, Int64, type RecordBatch, Utf8 } from 'apache-arrow'
import {
  aggregate,
  type Columns,
  col,
  concat,
  count,
  derive,
  drop,
  filter,
  limit,
  map,
  mapBatches,
  max,
  mean,
  min,
  type Pipeline,
  parquetFile,
  partitionedParquet,
  project,
  rename,
  repartition,
  retry,
  type Store,
  source,
  sum,
  tap,
  throttle,
} from '../../src/index.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type ColumnsIn<P> = P extends Pipeline<infer T> ? { [K in keyof T]: T[K] } : never

/** Compiles if the pipeline has these columns and no others. */
type Has<P, T> = Equal<ColumnsIn<P>, T>

declare function holds<T extends true>(): T
declare const store: Store

const typed = source(store, {
  schema: { dt: new DateDay(), fare: new Float64(), id: new Int64(), name: new Utf8() },
})
const untyped = source(store)

export function aSourceHasTheColumnsOfItsSchema(): void {
  holds<
    Has<
      typeof typed,
      { dt: DateDay['TValue'] | null; fare: number | null; id: bigint | null; name: string | null }
    >
  >()
  holds<Has<typeof untyped, Columns>>()
}

export function operatorsKeepWhatTheyDoNotChange(): void {
  const same = typed.pipe(
    filter(col('fare').gt(1)),
    limit(1),
    tap(() => {}),
    throttle({ rowsPerSecond: 1 }),
    retry(),
    repartition({ by: ['dt'] }),
  )
  holds<Has<typeof same, ColumnsIn<typeof typed>>>()
}

export function projectNarrows(): void {
  const two = typed.pipe(project('id', 'fare'))
  holds<Has<typeof two, { id: bigint | null; fare: number | null }>>()
  // @ts-expect-error no such column
  typed.pipe(project('nope'))
  // @ts-expect-error dropped by the one before
  typed.pipe(project('id'), project('fare'))
}

export function dropLeavesOut(): void {
  const rest = typed.pipe(drop('dt', 'name'))
  holds<Has<typeof rest, { fare: number | null; id: bigint | null }>>()
  // @ts-expect-error no such column
  typed.pipe(drop('nope'))
  // @ts-expect-error dropped by the one before
  typed.pipe(drop('id'), project('id'))
}

export function renameChangesNames(): void {
  const renamed = typed.pipe(drop('dt'), rename({ fare: 'price', id: 'key' }))
  holds<Has<typeof renamed, { price: number | null; key: bigint | null; name: string | null }>>()
  const swapped = typed.pipe(project('id', 'name'), rename({ id: 'name', name: 'id' }))
  holds<Has<typeof swapped, { id: string | null; name: bigint | null }>>()
  typed.pipe(rename({ dt: 'day' }), repartition({ by: ['day'] }))
  // @ts-expect-error no such column
  typed.pipe(rename({ nope: 'a' }))
  // @ts-expect-error one of them is no column
  typed.pipe(rename({ id: 'key', nope: 'a' }))
  // @ts-expect-error not a name
  typed.pipe(rename({ id: 1 }))
  // @ts-expect-error has another name by then
  typed.pipe(rename({ id: 'key' }), project('id'))
}

export function concatTakesTheSameColumns(): void {
  const other = source(store, { schema: { name: new Utf8(), id: new Float64(), fare: new Float64() } })
  const three = typed.pipe(drop('dt'))
  const both = concat(three, other)
  holds<Has<typeof both, { fare: number | null; id: bigint | number | null; name: string | null }>>()
  const many = concat(three, three, other.pipe(filter('id > 1')), other)
  holds<Has<typeof many, ColumnsIn<typeof both>>>()
  concat(three, untyped).pipe(project('id'))
  const one = concat(untyped)
  holds<Has<typeof one, Columns>>()
  concat(three, other.pipe(rename({ id: 'key' }), rename({ key: 'id' })))
  // @ts-expect-error one lacks a column
  concat(typed, other)
  // @ts-expect-error one has more columns
  concat(three, other, typed)
  // @ts-expect-error not a pipeline
  concat(three, store)
  // @ts-expect-error no such column
  concat(three, other).pipe(project('dt'))
}

export function deriveAddsAndReplaces(): void {
  const more = typed.pipe(
    derive({ total: col('fare').plus(1), name: 'upper(name)' }),
    project('total', 'name', 'id'),
  )
  holds<Has<typeof more, { total: unknown; name: unknown; id: bigint | null }>>()
  // @ts-expect-error neither an expression nor SQL
  derive({ total: 1 })
}

export function mapSeesRowsAndGivesRows(): void {
  const rows = typed.pipe(
    map(row => {
      holds<Equal<typeof row.id, bigint | null>>()
      return { double: (row.fare ?? 0) * 2, text: row.name }
    }),
  )
  holds<Has<typeof rows, { double: number; text: string | null }>>()
  const some = typed.pipe(
    map(row => (row.id === null ? null : { id: row.id })),
    filter('id > 1'),
  )
  holds<Has<typeof some, { id: bigint }>>()
  // @ts-expect-error no such column
  typed.pipe(map(row => ({ a: row.nope })))
  // @ts-expect-error a row is an object
  typed.pipe(map(() => 1))
}

export function aggregateGivesKeysAndResults(): void {
  const totals = typed.pipe(
    aggregate({
      by: ['dt'],
      n: count(),
      named: count('name'),
      total: sum('id'),
      fares: sum('fare'),
      last: max('name'),
    }),
  )
  type Dt = DateDay['TValue'] | null
  type Totals = {
    dt: Dt
    n: bigint
    named: bigint
    total: bigint | null
    fares: number | bigint | null
    last: string | null
  }
  holds<Has<typeof totals, Totals>>()
  totals.pipe(project('total'))
  // @ts-expect-error gone
  totals.pipe(project('fare'))
  const whole = typed.pipe(aggregate({ mean: mean('fare'), first: min('dt') }))
  holds<Has<typeof whole, { mean: number | null; first: Dt }>>()
  const keys = typed.pipe(aggregate({ by: ['id', 'name'] }))
  holds<Has<typeof keys, { id: bigint | null; name: string | null }>>()
  const derived = typed.pipe(derive({ m: 'fare * 2' }), aggregate({ by: ['id'], m: sum('m') }))
  holds<Has<typeof derived, { id: bigint | null; m: unknown }>>()
  const unknown = untyped.pipe(aggregate({ by: ['a'], n: count(), b: sum('b'), c: max('c') }))
  holds<Has<typeof unknown, { a: unknown; n: bigint; b: unknown; c: unknown }>>()
  // @ts-expect-error no such key
  typed.pipe(aggregate({ by: ['nope'], n: count() }))
  // @ts-expect-error no such column
  typed.pipe(aggregate({ n: max('nope') }))
  // @ts-expect-error text has no sum
  typed.pipe(aggregate({ n: sum('name') }))
  // @ts-expect-error text has no mean
  typed.pipe(aggregate({ n: mean('name') }))
  // @ts-expect-error only by is a list
  typed.pipe(aggregate({ n: ['fare'] }))
  // @ts-expect-error not a function
  typed.pipe(aggregate({ n: 'fare' }))
  // @ts-expect-error dropped by the one before
  typed.pipe(project('id'), aggregate({ by: ['name'] }))
}

export function repartitionTakesColumns(): void {
  typed.pipe(repartition({ by: ['dt'], maxRowsPerFile: 1 }))
  typed.pipe(derive({ month: col('dt').month() }), repartition({ by: ['month'] }))
  typed.pipe(repartition({ targetFileBytes: '1MB' }))
  // @ts-expect-error no such column
  typed.pipe(repartition({ by: ['nope'] }))
  // @ts-expect-error dropped by the one before
  typed.pipe(project('id'), repartition({ by: ['dt'] }))
}

export function mapBatchesNamesItsColumns(): void {
  const named = typed.pipe(mapBatches<{ a: number }>(batch => batch))
  holds<Has<typeof named, { a: number }>>()
  const unnamed = typed.pipe(mapBatches(batch => batch))
  holds<Has<typeof unnamed, Columns>>()
}

export function anUntypedSourceTakesAnyNames(): void {
  untyped.pipe(project('a', 'b'))
  untyped.pipe(derive({ month: col('dt').month() }), repartition({ by: ['month'] }))
  untyped.pipe(repartition({ by: ['month'] }))
  untyped.pipe(filter('a > 1'), derive({ b: 'a + 1' }), project('a', 'b'), repartition({ by: ['b'] }))
  untyped.pipe(map(row => ({ a: row['a'] })))
  untyped.pipe(rename({ a: 'b' }), drop('c'), project('b', 'd'))
  const narrowed = untyped.pipe(project('a', 'b'))
  holds<Has<typeof narrowed, { a: unknown; b: unknown }>>()
  // @ts-expect-error dropped by the one before
  untyped.pipe(project('a'), project('b'))
  void untyped.pipe(repartition({ by: ['month'] })).to(partitionedParquet(store))
}

async function* plain(input: AsyncIterable<RecordBatch>): AsyncGenerator<RecordBatch> {
  yield* input
}

export function aPlainFunctionIsAnOperator(): void {
  const before = typed.pipe(plain)
  holds<Has<typeof before, Columns>>()
  typed.pipe(plain, project('anything'), plain, repartition({ by: ['anything'] }))
  typed.pipe(async function* (input) {
    for await (const batch of input) if (batch.numRows > 0) yield batch
  })
  // @ts-expect-error gives no stream
  typed.pipe((input: AsyncIterable<RecordBatch>) => input[Symbol.asyncIterator]().next())
  // @ts-expect-error no operator
  typed.pipe('filter')
}

export function namesThatComeInAList(): void {
  const names: string[] = []
  untyped.pipe(project(...names), repartition({ by: names }))
  const operators = [filter('a > 1'), limit(1)]
  holds<Has<ReturnType<typeof listed>, Columns>>()
  function listed() {
    return untyped.pipe(...operators)
  }
}

export function anyPipelineIsAPipeline(): Pipeline[] {
  return [typed, untyped, typed.pipe(project('id'))]
}

export function sixteenOperatorsKeepTheirTypes(): void {
  const f = filter<{ id: bigint | null; n: unknown }>
  const sixteen = typed.pipe(
    filter('id > 1'),
    project('id', 'fare'),
    derive({ n: 'id + 1' }),
    limit(1),
    retry(),
    tap(() => {}),
    throttle({ rowsPerSecond: 1 }),
    project('id', 'n'),
    f('id > 1'),
    f('id > 1'),
    limit(1),
    retry(),
    tap(() => {}),
    limit(1),
    repartition({ by: ['n'] }),
    project('n'),
  )
  holds<Has<typeof sixteen, { n: unknown }>>()
  typed.pipe(
    filter('id > 1'),
    filter('id > 1'),
    filter('id > 1'),
    filter('id > 1'),
    filter('id > 1'),
    filter('id > 1'),
    filter('id > 1'),
    filter('id > 1'),
    filter('id > 1'),
    filter('id > 1'),
    filter('id > 1'),
    filter('id > 1'),
    filter('id > 1'),
    filter('id > 1'),
    project('id'),
    // @ts-expect-error dropped by the one before
    project('fare'),
  )
  void typed.pipe(project('id')).to(parquetFile(store, 'one.parquet'))
}
