import { createRequire } from 'node:module'
import { type RecordBatch, type Schema, Table } from 'apache-arrow'
import type { Observable } from 'rxjs'
import { untilAborted } from './abort.ts'
import { SluiceError } from './errors.ts'
import type { Columns, Operator } from './operator.ts'
import { Explanation, type PipelinePlan, planPipeline } from './planner.ts'
import { formatProgress, showProgress } from './progress.ts'
import type { RunOptions, RunReport } from './report.ts'
import { Run } from './run.ts'
import type { Sink } from './sink.ts'
import type { Source } from './source.ts'
import { unifyBatches } from './unify.ts'

export interface ExplainOptions extends RunOptions {
  /** Where the rows would go. @default nowhere */
  sink?: Sink | undefined
}

/**
 * A source with operators behind it: a value that can be piped further, run any number of times, and iterated.
 * Nothing is read before it is run. Everything is pulled: a slow consumer holds the source back, and at most
 * the memory budget lies in between.
 *
 * @typeParam T the columns and the types of their values, as far as the compiler knows them
 */
export class Pipeline<T extends Columns = Columns> implements AsyncIterable<RecordBatch> {
  readonly source: Source
  readonly operators: readonly Operator[]

  constructor(source: Source, operators: readonly Operator[] = []) {
    this.source = source
    this.operators = operators
  }

  /** The pipeline with more operators behind it; this one stays as it is. */
  readonly pipe = ((...operators: Operator[]): Pipeline => {
    operators.forEach((operator, i) => {
      if (typeof operator !== 'function') {
        throw new SluiceError(
          'invalid-argument',
          `argument ${i + 1} of pipe() is not an operator but ${typeof operator}`,
          {
            hint: 'An operator is a function from async iterable to async iterable, such as filter(...).',
          },
        )
      }
    })
    return new Pipeline(this.source, [...this.operators, ...operators])
  }) as Pipe<T>

  /**
   * Runs the pipeline into a sink.
   *
   * @returns what the run did. Rejects with the first failure, or with `signal.reason`; the destination is then
   * as it was before.
   */
  async to(sink: Sink, options: RunOptions = {}): Promise<RunReport> {
    const run = new Run(this.source.execution, options)
    try {
      run.signal.throwIfAborted()
      const stopProgress = showProgress(run, options.progress ?? false, formatProgress)
      run.onClose(stopProgress)
      const plan = await this.#plan(run)
      const report = await sink.write(plan, run)
      run.phase = 'done'
      return report
    } catch (error) {
      // What an abort makes fail may have come through a lane, which gives a copy of the reason.
      run.abort(error)
      throw run.signal.reason
    } finally {
      await run[Symbol.asyncDispose]()
    }
  }

  /** The batches, pulled one by one. Leaving the loop early releases everything. */
  [Symbol.asyncIterator](): AsyncGenerator<RecordBatch, void, void> {
    return this.batches()
  }

  /** The batches, with an AbortSignal: an aborted loop throws `signal.reason`, also while it waits for a batch. */
  batches(options: RunOptions = {}): AsyncGenerator<RecordBatch, void, void> {
    return this.#batches(options, false)
  }

  async *#batches(options: RunOptions, keepsBatches: boolean): AsyncGenerator<RecordBatch, void, void> {
    const run = new Run(this.source.execution, options)
    run.keepsBatches = keepsBatches
    try {
      run.signal.throwIfAborted()
      run.onClose(showProgress(run, options.progress ?? false, formatProgress))
      const plan = await this.#plan(run)
      run.phase = 'run'
      for await (const batch of untilAborted(plan.batches(run), run.signal)) {
        run.rowsOut += batch.numRows
        yield batch
      }
      run.phase = 'done'
    } finally {
      run.abort(new SluiceError('callback', 'the loop over the pipeline has ended'))
      await run[Symbol.asyncDispose]()
    }
  }

  /**
   * All rows as an Arrow table. They have to fit in memory: for more, iterate or use a sink. The columns may lie in
   * SharedArrayBuffers, which are shared with a worker and not moved to it.
   */
  async collect(options: RunOptions = {}): Promise<Table> {
    const batches: RecordBatch[] = []
    for await (const batch of this.#batches(options, true)) batches.push(batch)
    if (batches.length === 0) return new Table(await this.schema(options))
    return new Table(unifyBatches(batches))
  }

  /**
   * The batches as an RxJS Observable. Subscribing starts a run, unsubscribing aborts it. The next batch is
   * read only after every observer has returned from the one before, so that nothing queues up behind it; an
   * operator that holds batches (such as `mergeMap` with promises) has to bound its own concurrency.
   */
  toObservable(options: RunOptions = {}): Observable<RecordBatch> {
    const { Observable } = loadRxJs()
    return new Observable(subscriber => {
      const stop = new AbortController()
      const signal =
        options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal])
      const drain = async (): Promise<void> => {
        for await (const batch of this.batches({ ...options, signal })) {
          subscriber.next(batch)
          if (subscriber.closed) return
        }
      }
      drain().then(
        () => subscriber.complete(),
        error => subscriber.error(error),
      )
      return () => stop.abort(new SluiceError('callback', 'the subscription has ended'))
    })
  }

  /** The columns that come out; behind a function of one's own they are not known, and are those before it. */
  async schema(options: RunOptions = {}): Promise<Schema> {
    return this.#withRun(options, async run => (await this.#plan(run)).schema)
  }

  /**
   * What a run would read and do, and why; reads footers and listings only. With a `sink` it also says which row
   * groups would pass through to it.
   */
  async explain({ sink, ...options }: ExplainOptions = {}): Promise<Explanation> {
    return this.#withRun(options, async run => {
      const plan = await this.#plan(run)
      return new Explanation(plan, await (sink?.explain?.(plan, run) ?? plan.source.explain(plan.head, run)))
    })
  }

  #plan(run: Run): Promise<PipelinePlan> {
    return planPipeline(this.source, this.operators, run)
  }

  async #withRun<R>(options: RunOptions, work: (run: Run) => Promise<R>): Promise<R> {
    const run = new Run(this.source.execution, options)
    try {
      run.signal.throwIfAborted()
      return await work(run)
    } finally {
      await run[Symbol.asyncDispose]()
    }
  }
}

/** Two hundred modules, which most programs have no use for; `import()` would come too late for a value. */
function loadRxJs(): typeof import('rxjs') {
  return createRequire(import.meta.url)('rxjs')
}

/**
 * The types of `pipe`: what one operator gives, the next one takes, for up to sixteen at once. Of a list whose
 * length the compiler does not know it takes and gives any columns.
 */
// biome-ignore format: a line for each number of operators shows that it is the one before and one more.
export interface Pipe<T extends Columns> {
  (): Pipeline<T>
  <A extends Any>(a: Op<T, A>): Pipeline<A>
  <A extends Any, B extends Any>(a: Op<T, A>, b: Op<A, B>): Pipeline<B>
  <A extends Any, B extends Any, C extends Any>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>): Pipeline<C>
  <A extends Any, B extends Any, C extends Any, D extends Any>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>): Pipeline<D>
  <A extends Any, B extends Any, C extends Any, D extends Any, E extends Any>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>): Pipeline<E>
  <A extends Any, B extends Any, C extends Any, D extends Any, E extends Any, F extends Any>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>): Pipeline<F>
  <A extends Any, B extends Any, C extends Any, D extends Any, E extends Any, F extends Any, G extends Any>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>): Pipeline<G>
  <A extends Any, B extends Any, C extends Any, D extends Any, E extends Any, F extends Any, G extends Any, H extends Any>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>): Pipeline<H>
  <A extends Any, B extends Any, C extends Any, D extends Any, E extends Any, F extends Any, G extends Any, H extends Any, I extends Any>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>): Pipeline<I>
  <A extends Any, B extends Any, C extends Any, D extends Any, E extends Any, F extends Any, G extends Any, H extends Any, I extends Any, J extends Any>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>): Pipeline<J>
  <A extends Any, B extends Any, C extends Any, D extends Any, E extends Any, F extends Any, G extends Any, H extends Any, I extends Any, J extends Any, K extends Any>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>, k: Op<J, K>): Pipeline<K>
  <A extends Any, B extends Any, C extends Any, D extends Any, E extends Any, F extends Any, G extends Any, H extends Any, I extends Any, J extends Any, K extends Any, L extends Any>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>, k: Op<J, K>, l: Op<K, L>): Pipeline<L>
  <A extends Any, B extends Any, C extends Any, D extends Any, E extends Any, F extends Any, G extends Any, H extends Any, I extends Any, J extends Any, K extends Any, L extends Any, M extends Any>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>, k: Op<J, K>, l: Op<K, L>, m: Op<L, M>): Pipeline<M>
  <A extends Any, B extends Any, C extends Any, D extends Any, E extends Any, F extends Any, G extends Any, H extends Any, I extends Any, J extends Any, K extends Any, L extends Any, M extends Any, N extends Any>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>, k: Op<J, K>, l: Op<K, L>, m: Op<L, M>, n: Op<M, N>): Pipeline<N>
  <A extends Any, B extends Any, C extends Any, D extends Any, E extends Any, F extends Any, G extends Any, H extends Any, I extends Any, J extends Any, K extends Any, L extends Any, M extends Any, N extends Any, O extends Any>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>, k: Op<J, K>, l: Op<K, L>, m: Op<L, M>, n: Op<M, N>, o: Op<N, O>): Pipeline<O>
  <A extends Any, B extends Any, C extends Any, D extends Any, E extends Any, F extends Any, G extends Any, H extends Any, I extends Any, J extends Any, K extends Any, L extends Any, M extends Any, N extends Any, O extends Any, P extends Any>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>, k: Op<J, K>, l: Op<K, L>, m: Op<L, M>, n: Op<M, N>, o: Op<N, O>, p: Op<O, P>): Pipeline<P>
  (...operators: Op<Any, Any>[]): Pipeline
}

type Any = Columns
type Op<In extends Any, Out extends Any> = Operator<In, Out>
