import { extname } from 'node:path'
import { InlineLane, type LaneClient, WorkerLane } from '../core/lanes.ts'
import type { Run } from '../core/run.ts'
import type { Fetched } from './fetch.ts'
import { laneHandlers } from './lane.ts'
import type { LaneEmit, LaneProgram } from './lane-messages.ts'
import { laneBytes, lanesThatFit } from './mode.ts'
import type { PlannedPassage } from './pass-through.ts'
import { type Fragment, laneFile, type PlannedUnit, SMALL_RUN, SMALL_UNITS } from './units.ts'

/** Takes a row group that lane number `lane` has encoded; the lane waits once a few are unanswered. */
export type LaneEmitHandler = (emit: LaneEmit, lane: number) => Promise<void>

/** The lanes of a run; each is lent to one unit at a time and remembers which files it knows. */
export class LanePool {
  readonly lanes: readonly LaneClient[]
  readonly #idle: LaneClient[]
  readonly #waiting: ((lane: LaneClient) => void)[] = []
  readonly #knows = new Map<LaneClient, number>()

  constructor(lanes: readonly LaneClient[]) {
    this.lanes = lanes
    this.#idle = [...lanes]
  }

  /** Ends the lanes; may be called again. */
  async close(): Promise<void> {
    await Promise.all(this.lanes.map(lane => lane.close()))
  }

  get size(): number {
    return this.lanes.length
  }

  /** Waits for an idle lane and tells it of the fragment's file. */
  async take(fragment: Fragment): Promise<LaneClient> {
    const lane = this.#idle.shift() ?? (await new Promise<LaneClient>(resolve => this.#waiting.push(resolve)))
    try {
      await this.introduce(lane, fragment)
      return lane
    } catch (error) {
      this.giveBack(lane)
      throw error
    }
  }

  giveBack(lane: LaneClient): void {
    const next = this.#waiting.shift()
    if (next !== undefined) next(lane)
    else this.#idle.push(lane)
  }

  /** Tells a lane of a file, and to forget the one before: lanes take the files in order. */
  async introduce(lane: LaneClient, fragment: Fragment): Promise<void> {
    const known = this.#knows.get(lane)
    if (known === fragment.file.id) return
    this.#knows.set(lane, fragment.file.id)
    if (known !== undefined) await lane.call('dropFile', known)
    await lane.call('addFile', laneFile(fragment))
  }
}

/** Reads the bytes of planned work ahead of need. */
export interface UnitFetcher {
  fetched<P extends PlannedUnit | PlannedPassage>(
    planned: AsyncIterable<P>,
    run: Run,
  ): AsyncGenerator<Fetched<P>>
}

/**
 * Looks at the first units' sizes, which footers tell, and starts as many lanes as the run is worth: one on the
 * main thread if there is little to read, none if there is nothing, else workers. The first units are read while these start.
 *
 * @returns the pool, and all the units
 */
export async function startLanes<P extends PlannedUnit | PlannedPassage>(
  source: UnitFetcher,
  planned: AsyncGenerator<P>,
  run: Run,
  program: Omit<LaneProgram, 'arenaBytes'>,
  emit: LaneEmitHandler,
): Promise<{ pool: LanePool; units: AsyncGenerator<Fetched<P>> }> {
  const first: P[] = []
  let bytes = 0
  let ended = false
  while (!ended && (bytes < SMALL_RUN || first.length < 2) && first.length < SMALL_UNITS) {
    const step = await planned.next()
    if (step.done) ended = true
    else bytes += first[first.push(step.value) - 1]!.storedBytes
  }
  const small = ended && (first.length <= 1 || bytes < SMALL_RUN)
  const fitting = lanesThatFit(run.execution, Math.max(0, ...first.map(unit => unit.decodedBytes)))
  const count = small ? 0 : ended ? Math.min(fitting, first.length) : fitting
  const units = source.fetched(chain(first, planned), run)
  const ahead = units.next()
  const taken = ahead.catch(() => undefined)
  run.onClose(async () => {
    const step = await taken
    if (step?.done === false) step.value.release()
    await units.return(undefined)
  })
  const pool = first.length === 0 ? new LanePool([]) : await openLanes(count, run, program, emit)
  return { pool, units: resume(ahead, units) }
}

/** Starts `count` workers, or a lane on the main thread for 0, and configures them. They end with the run at the latest. */
export async function openLanes(
  count: number,
  run: Run,
  program: Omit<LaneProgram, 'arenaBytes'>,
  emit: LaneEmitHandler,
): Promise<LanePool> {
  const arenaBytes = Math.floor(laneBytes(run.execution, Math.max(1, count)) * run.laneShare)
  run.lanes = Math.max(run.lanes, count)
  const worker = new URL(`./lane-worker${extname(import.meta.url)}`, import.meta.url)
  const lanes = Array.from({ length: Math.max(1, count) }, (_, i) => {
    const own = (value: unknown) => emit(value as LaneEmit, i)
    return count === 0 ? new InlineLane(laneHandlers, own) : new WorkerLane(worker, own)
  })
  const pool = new LanePool(lanes)
  run.onClose(() => pool.close())
  await Promise.all(lanes.map(lane => lane.call('configure', { ...program, arenaBytes })))
  return pool
}

async function* chain<T>(first: readonly T[], rest: AsyncGenerator<T>): AsyncGenerator<T> {
  try {
    yield* first
    yield* rest
  } finally {
    await rest.return(undefined)
  }
}

/** A stream whose first item has been asked for. */
async function* resume<T>(first: Promise<IteratorResult<T>>, rest: AsyncGenerator<T>): AsyncGenerator<T> {
  try {
    const step = await first
    if (step.done) return
    yield step.value
    yield* rest
  } finally {
    await rest.return(undefined)
  }
}
