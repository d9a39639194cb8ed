import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  aggregate,
  col,
  derive,
  filter,
  isSluiceError,
  limit,
  map,
  mapBatches,
  type Operator,
  project,
  RequestCounts,
  rename,
  repartition,
  retry,
  source,
  tap,
  throttle,
  withObserver,
} from '../../src/index.ts'
import { assertNoListeners, parquetStore, Tracked, valuesOf } from './support.ts'

const all = [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n]
/** Each operator, and what it makes of the numbers from 0 to 7. */
const operators: Record<string, [make: () => Operator, values: unknown[]]> = {
  filter: [() => filter(col('n').gt(2)), [3n, 4n, 5n, 6n, 7n]],
  project: [() => project('n'), all],
  rename: [() => rename({ n: 'n' }), all],
  derive: [() => derive({ n: col('n').plus(1) }), all.map(n => n + 1n)],
  // Gives nothing before it has everything.
  aggregate: [() => aggregate({ by: ['n'] }), all],
  map: [() => map(row => ({ n: (row['n'] as bigint) * 2n })), all.map(n => n * 2n)],
  mapBatches: [() => mapBatches(batch => [batch.slice(0, 1), batch.slice(1)]), all],
  repartition: [() => repartition({ by: ['n'] }), all],
  limit: [() => limit(5), all.slice(0, 5)],
  tap: [() => tap(() => {}), all],
  throttle: [() => throttle({ rowsPerSecond: 1e6, bytesPerSecond: '1GB' }), all],
  retry: [() => retry(), all],
  'a function of one’s own': [
    () =>
      async function* (input) {
        yield* input
      },
    all,
  ],
}

for (const [name, [make, values]] of Object.entries(operators)) {
  describe(name, () => {
    test('gives its values, each time the pipeline is run', async () => {
      const tracked = new Tracked(4)
      const pipeline = tracked.pipeline().pipe(make())
      assert.deepEqual(await valuesOf(pipeline), values)
      assert.deepEqual(await valuesOf(pipeline), values)
      assert.deepEqual([tracked.begun, tracked.ended], [2, 2])
    })

    test('behind Parquet files, and on the main thread', async t => {
      const store = await parquetStore(t, 8)
      assert.deepEqual(await valuesOf(source(store).pipe(make())), values)
      assert.deepEqual(
        await valuesOf(
          source(store).pipe(
            tap(() => {}),
            make(),
            tap(() => {}),
          ),
        ),
        values,
      )
    })

    test('passes nothing on of nothing', async () => {
      assert.deepEqual(await valuesOf(new Tracked(0).pipeline().pipe(make())), [])
    })

    test('fails with what its source throws', async () => {
      const failure = new Error('broken')
      const tracked = new Tracked(4, i => {
        if (i === 1) throw failure
      })
      await assert.rejects(valuesOf(tracked.pipeline().pipe(make())), error => error === failure)
      assert.equal(tracked.ended, tracked.begun)
    })

    test('closes its source when its consumer leaves, having read one batch ahead at most', async () => {
      const tracked = new Tracked(1000)
      let seen = 0
      for await (const batch of tracked.pipeline().pipe(make())) {
        seen += batch.numRows
        if (seen > 2) break
      }
      assert.equal(tracked.ended, 1)
      if (name !== 'aggregate') assert.ok(tracked.pulled <= 4, `${tracked.pulled} batches pulled`)
    })

    test('does not begin once aborted', async () => {
      const tracked = new Tracked(4)
      const reason = new Error('not now')
      const signal = AbortSignal.abort(reason)
      await assert.rejects(
        valuesOf(tracked.pipeline().pipe(make()).batches({ signal })),
        error => error === reason,
      )
      assert.equal(tracked.begun, 0)
      assertNoListeners(signal)
    })

    test('ends with the signal’s reason while a batch is waited for', async () => {
      let reached = () => {}
      const waiting = new Promise<void>(resolve => {
        reached = resolve
      })
      const tracked = new Tracked(4, i => {
        if (i < 1) return
        reached()
        return new Promise(() => {})
      })
      const controller = new AbortController()
      const reason = new Error('enough')
      const { signal } = controller
      const run = valuesOf(tracked.pipeline().pipe(make()).batches({ signal }))
      await waiting
      controller.abort(reason)
      await assert.rejects(run, error => error === reason)
      assertNoListeners(signal)
    })
  })
}

test('what a function throws is the cause of an error of code callback', async () => {
  const failure = new Error('mine')
  const fail = () => {
    throw failure
  }
  for (const operator of [map(fail), mapBatches(fail), tap(fail), tap(async () => fail())]) {
    const tracked = new Tracked(4)
    await assert.rejects(
      valuesOf(tracked.pipeline().pipe(operator)),
      error => isSluiceError(error) && error.code === 'callback' && error.cause === failure,
    )
    assert.deepEqual([tracked.pulled, tracked.ended], [1, 1])
  }
})

test('limit stops reading', async t => {
  const counts = new RequestCounts()
  const store = await parquetStore(t, 4_000_000, 'hash(i)::DOUBLE', 100_000)
  const observed = withObserver(store, counts.add)
  assert.equal((await valuesOf(source(observed).pipe(limit(3)))).length, 3)
  const { size } = await store.head('numbers.parquet')
  assert.ok(counts.bytesRead < size / 2, `${counts.bytesRead} of ${size} bytes`)
})

test('behind a function, columns that it has made can be filtered; of no rows there is a table all the same', async () => {
  const made = (count: number) =>
    new Tracked(count).pipeline().pipe(
      map(row => ({ m: row['n'] as bigint })),
      filter(col('m').gt(5)),
    )
  assert.equal((await made(4).collect()).numRows, 2)
  assert.equal((await made(0).collect()).numRows, 0)
})

test('the schema is known through what changes no columns', async () => {
  const schema = await new Tracked(4)
    .pipeline()
    .pipe(
      limit(1),
      tap(() => {}),
      derive({ m: col('n').plus(1) }),
      project('m'),
    )
    .schema()
  assert.deepEqual(
    schema.fields.map(field => field.name),
    ['m'],
  )
})
