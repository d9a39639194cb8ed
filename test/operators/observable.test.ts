import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatMap, firstValueFrom, lastValueFrom, map, reduce, take, toArray } from 'rxjs'
import { filter, isSluiceError, tap } from '../../src/index.ts'
import { assertNoListeners, Tracked } from './support.ts'

test('an Observable gives all batches in order and completes', async () => {
  const source = new Tracked(5)
  const observable = source.pipeline().pipe(filter('n <> 3')).toObservable()
  const values = await lastValueFrom(
    observable.pipe(
      map(batch => [...batch.getChild('n')!].map(Number)),
      toArray(),
    ),
  )
  assert.deepEqual(values.flat(), [0, 1, 2, 4, 5, 6, 7, 8, 9])
  assert.deepEqual([source.begun, source.ended], [1, 1])
})

test('each subscription is a run of its own', async () => {
  const source = new Tracked(3)
  const rows = source
    .pipeline()
    .toObservable()
    .pipe(reduce((sum, batch) => sum + batch.numRows, 0))
  assert.equal(source.begun, 0)
  assert.equal(await firstValueFrom(rows), 6)
  assert.equal(await firstValueFrom(rows), 6)
  assert.equal(source.begun, 2)
})

test('whoever has enough ends the run, and the source is closed', async () => {
  const source = new Tracked(1000)
  const stop = new AbortController()
  const observable = source.pipeline().toObservable({ signal: stop.signal })
  const batches = await lastValueFrom(observable.pipe(take(2), toArray()))
  assert.equal(batches.length, 2)
  while (source.ended === 0) await new Promise(setImmediate)
  assert.ok(source.pulled <= 4, `${source.pulled} batches were pulled for 2`)
  assertNoListeners(stop.signal)
})

test('the next batch is pulled when the observers have returned', async () => {
  const source = new Tracked(6)
  const ahead: number[] = []
  let seen = 0
  await lastValueFrom(
    source
      .pipeline()
      .toObservable()
      .pipe(map(() => ahead.push(source.pulled - ++seen))),
  )
  assert.deepEqual(ahead, [0, 0, 0, 0, 0, 0])
})

test('a failure goes to the observer as its error', async () => {
  const broken = new Error('no more')
  const observable = new Tracked(3)
    .pipeline()
    .pipe(
      tap(() => {
        throw broken
      }),
    )
    .toObservable()
  await assert.rejects(lastValueFrom(observable), error => {
    return isSluiceError(error) && error.code === 'callback' && error.cause === broken
  })
})

test('an aborted signal is the error, while a batch is waited for', async () => {
  const stop = new AbortController()
  const reason = new Error('enough')
  const source = new Tracked(3, index => (index === 1 ? new Promise(() => {}) : undefined))
  const observable = source
    .pipeline()
    .toObservable({ signal: stop.signal })
    .pipe(concatMap(async () => stop.abort(reason)))
  await assert.rejects(lastValueFrom(observable), error => error === reason)
  assertNoListeners(stop.signal)
})
