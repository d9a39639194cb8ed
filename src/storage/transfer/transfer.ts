import { Budget } from '../../core/budget.ts'
import { forEachOf } from '../../core/concurrency.ts'
import { located, SluiceError } from '../../core/errors.ts'
import { showProgress } from '../../core/progress.ts'
import { joinUrl } from '../keys.ts'
import { exists } from '../read.ts'
import type { ObjectMeta, Store } from '../store.ts'
import { comparePlaces, type Pair } from './compare.ts'
import { type CopyContext, copyObject } from './copy-object.ts'
import { counted } from './counted.ts'
import { TransferJournal } from './journal.ts'
import { type TransferOptions, type TransferSettings, validateTransfer } from './options.ts'
import { formatTransferProgress, TransferCounter } from './progress.ts'
import { readAhead } from './read-ahead.ts'
import { TransferError, type TransferEvent, type TransferReport } from './report.ts'
import { isSame } from './same.ts'
import { type Selection, selectionOf } from './selection.ts'

/** Objects that are listed before their turn has come: so far ahead the total is known. */
const LISTED_AHEAD = 10_000
const DELETED_AT_ONCE = 1_000

/**
 * Copies the objects of one place to another: within a store by the store itself, else streamed, with content type
 * and metadata where the destination keeps them. Two folders of one store are `store.child('a')` and
 * `store.child('b')`. Each object becomes visible whole or not at all, and is of one version of the source's; one
 * that is replaced meanwhile is begun anew.
 *
 * By default what the destination has already is left as it is (`existing: 'skip-same'`): an object of the same size
 * with the same MD5 digest as its tag; or whose metadata `sluice_source` has the source's tag, which every object
 * gets that is streamed to a store that keeps metadata; or, where it has none, that was changed after the source was. So a transfer that was stopped is run again, and does the rest. Of one that was killed, objects of more than
 * 8 MiB go on where they had stopped, if the destination can that (`capabilities.resume`). A transfer between two
 * places is to be run by one process at a time.
 *
 * No failure of an object hides another: all are in the report, which the {@link TransferError} has that the
 * transfer then rejects with. With `delete` the destination is made what the source is, within the selection; nothing
 * is deleted after a failure, or if the source has nothing. What Sluice keeps below `_sluice/` at a store's root is
 * neither copied nor deleted.
 *
 * @example
 * ```ts
 * const [lake, backup] = [await openStore('s3://bucket/lake'), await openStore('/mnt/backup')]
 * const { copied, skipped } = await transfer(lake.child('silver'), backup.child('silver'), { delete: true })
 * ```
 */
export async function transfer(
  from: Store,
  to: Store,
  options: TransferOptions = {},
): Promise<TransferReport> {
  const settings = validateTransfer(from, to, options)
  const selection = selectionOf(options)
  const { signal } = settings
  signal?.throwIfAborted()
  const stop = new AbortController()
  const stopped = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
  const run = new Transfer(from, to, selection, { ...settings, signal: stopped }, options.onObject)
  const watched = { progress: () => run.counter.progress(), abort: (reason: unknown) => stop.abort(reason) }
  const hide = showProgress(watched, options.progress ?? false, formatTransferProgress)
  const report = await run.run().finally(hide)
  stop.signal.throwIfAborted()
  return report
}

class Transfer {
  readonly counter: TransferCounter = new TransferCounter()
  readonly #from: Store
  readonly #to: Store
  readonly #within: boolean
  readonly #selection: Selection
  readonly #settings: TransferSettings
  readonly #onObject: TransferOptions['onObject']
  readonly #budget: Budget
  readonly #report: TransferReport
  /** Objects in whose way may be what is about to be deleted, as a file is where a folder has to be. */
  readonly #blocked: { source: ObjectMeta; error: SluiceError }[] = []

  constructor(
    from: Store,
    to: Store,
    selection: Selection,
    settings: TransferSettings,
    onObject: TransferOptions['onObject'],
  ) {
    const none = () => ({ objects: 0, bytes: 0 })
    this.#report = {
      dryRun: settings.dryRun,
      copied: none(),
      skipped: none(),
      deleted: none(),
      failed: [],
      resumed: none(),
      requests: 0,
      seconds: 0,
      memoryHighWaterBytes: 0,
    }
    const count = () => void this.#report.requests++
    this.#within = from.root.store === to.root.store
    this.#from = counted(from, count)
    this.#to = counted(to, count)
    this.#selection = selection
    this.#settings = settings
    this.#onObject = onObject
    this.#budget = new Budget(settings.memory)
  }

  async run(): Promise<TransferReport> {
    const { signal, dryRun } = this.#settings
    const resumable =
      this.#to.capabilities.stage && this.#to.capabilities.resume && this.#to.capabilities.list
    const journal =
      resumable && !dryRun && !this.#within
        ? await TransferJournal.open(this.#from, this.#to, { signal })
        : undefined
    try {
      await this.#copyAll({
        from: this.#from,
        to: this.#to,
        within: this.#within,
        settings: this.#settings,
        budget: this.#budget,
        journal,
      })
      await journal?.clear({ signal })
    } catch (error) {
      // Also where it is how the abort made a request fail.
      signal?.throwIfAborted()
      const failure = located(error, 'io', {})
      throw new TransferError(this.#result(), failure, failure.message)
    }
    const report = this.#result()
    const [first] = report.failed
    if (first === undefined) {
      this.counter.phase = 'done'
      return report
    }
    const done = report.copied.objects + report.skipped.objects
    const all = report.failed.length === 1 ? '1 object' : `${report.failed.length} objects`
    const rest = this.#settings.delete && report.deleted.objects === 0 ? ', nothing was deleted' : ''
    throw new TransferError(
      report,
      first.error,
      `${all} failed, ${done} did not${rest}; the first: ${first.error.message}`,
    )
  }

  async #copyAll(context: CopyContext): Promise<void> {
    const { concurrency, stopOnError } = this.#settings
    const pairs = readAhead(this.#listed(), LISTED_AHEAD)
    await forEachOf(pairs, concurrency, async pair => {
      if (stopOnError && this.#report.failed.length > 0) return
      await this.#copy(context, pair)
    })
    if (!this.#settings.delete || this.#report.failed.length > 0) return
    this.counter.phase = 'delete'
    await this.#deleteSurplus()
    for (const { source, error } of this.#blocked) {
      if (this.#report.deleted.objects === 0) await this.#fail(source, error)
      else await this.#copy(context, { source, target: undefined }, true)
    }
  }

  /** What the source has, beside what the destination has of it. */
  async *#listed(): AsyncGenerator<Pair & { source: ObjectMeta }, void, undefined> {
    const { listed } = this.counter
    const missing = new Set(this.#settings.delete ? [] : this.#selection.keys)
    for await (const { source, target } of this.#pairs()) {
      if (this.#settings.stopOnError && this.#report.failed.length > 0) return
      if (source === undefined) continue
      missing.delete(source.key)
      listed.objects++
      listed.bytes += source.size
      yield { source, target }
    }
    for (const key of missing) {
      const file = joinUrl(this.#from.url, key)
      await this.#fail({ key, size: 0 }, new SluiceError('not-found', 'there is no such object', { file }))
    }
    this.counter.isListed = true
  }

  #pairs(): AsyncGenerator<Pair, void, undefined> {
    return comparePlaces(this.#from, this.#to, this.#selection, this.#settings.signal)
  }

  /** Copies an object, or finds that there is no need to; never fails but by an abort. */
  async #copy(
    context: CopyContext,
    { source, target }: Pair & { source: ObjectMeta },
    again = false,
  ): Promise<void> {
    const { signal, dryRun, existing } = this.#settings
    const { copied, skipped, resumed } = this.#report
    const object = this.counter.object(again ? 0 : source.size)
    try {
      if (target !== undefined && existing === 'error') {
        throw new SluiceError('already-exists', 'the object exists already', {
          file: joinUrl(this.#to.url, source.key),
        })
      }
      if (target !== undefined && existing === 'skip-same') {
        if (await isSame(source, target, context)) {
          add(skipped, source.size)
          await this.#tell({ key: source.key, size: source.size, outcome: 'skipped' })
          return
        }
      }
      const watch = {
        arrived: (bytes: number) => object.arrived(bytes),
        resumed: (bytes: number) => add(resumed, bytes),
      }
      const { size } = dryRun ? source : await copyObject(context, source, watch)
      add(copied, size)
      await this.#tell({ key: source.key, size, outcome: 'copied' })
    } catch (error) {
      signal?.throwIfAborted()
      const failure = located(error, 'io', { file: joinUrl(this.#from.url, source.key) })
      // What a callback does is no failure of this object's.
      if (failure.code === 'callback') throw failure
      const blocked =
        failure.code === 'unsupported' && !again && (await this.#isBlocked(source.key).catch(() => false))
      if (blocked) {
        this.#blocked.push({ source, error: failure })
      } else await this.#fail(source, failure)
    } finally {
      if (!again) object.settle()
    }
  }

  /** Whether the destination has an object where this one wants a folder, or the other way round. */
  async #isBlocked(key: string): Promise<boolean> {
    if (!this.#settings.delete) return false
    const { signal } = this.#settings
    const folders = key.split('/').slice(0, -1)
    for (let depth = 1; depth <= folders.length; depth++) {
      if (await exists(this.#to, folders.slice(0, depth).join('/'), { signal })) return true
    }
    for await (const _ of this.#to.list({ prefix: `${key}/`, signal })) return true
    return false
  }

  async #deleteSurplus(): Promise<void> {
    const surplus: ObjectMeta[] = []
    for await (const { source, target } of this.#pairs()) {
      if (source !== undefined || target === undefined) continue
      if (this.counter.listed.objects === 0 && !this.#settings.force) {
        throw new SluiceError('not-found', 'the source has nothing, so that everything would be deleted', {
          file: this.#from.url,
          hint: "If that is what you want, say 'force'.",
        })
      }
      surplus.push(target)
      if (surplus.length === DELETED_AT_ONCE) await this.#delete(surplus.splice(0))
    }
    if (surplus.length > 0) await this.#delete(surplus)
  }

  async #delete(objects: readonly ObjectMeta[]): Promise<void> {
    const { signal, dryRun } = this.#settings
    const keys = objects.map(({ key }) => key)
    const failures = dryRun ? new Map<string, SluiceError>() : await this.#to.deleteMany(keys, { signal })
    for (const object of objects) {
      const { key, size } = object
      const error = failures.get(key)
      if (error !== undefined) await this.#fail(object, error)
      else {
        add(this.#report.deleted, size)
        this.counter.deleted++
        await this.#tell({ key, size, outcome: 'deleted' })
      }
    }
  }

  async #fail({ key, size }: Pick<ObjectMeta, 'key' | 'size'>, error: SluiceError): Promise<void> {
    this.#report.failed.push({ key, error })
    this.counter.failed++
    await this.#tell({ key, size, outcome: 'failed', error })
  }

  async #tell(event: TransferEvent): Promise<void> {
    try {
      await this.#onObject?.(event)
    } catch (cause) {
      this.#settings.signal?.throwIfAborted()
      throw new SluiceError('callback', 'the function threw', { option: 'onObject', cause })
    }
  }

  #result(): TransferReport {
    this.#report.seconds = this.counter.seconds
    this.#report.memoryHighWaterBytes = this.#budget.highWater
    return this.#report
  }
}

function add(sum: { objects: number; bytes: number }, bytes: number): void {
  sum.objects++
  sum.bytes += bytes
}
