import { extname } from 'node:path'
import { InlineLane, type LaneClient, WorkerLane } from '../core/lanes.ts'
import { isLaneDeath } from '../core/retry.ts'
import type { Run } from '../core/run.ts'
import type { Fetched } from './fetch.ts'
import { laneHandlers } from './lane.ts'
import type { LaneCounts, LaneEmit, LaneProgram } from './lane-messages.ts'
import { laneBytes, lanesThatFit } from './mode.ts'
import type { PlannedPassage } from './pass-through.ts'
import { type Fragment, laneFile, type PlannedUnit, SMALL_RUN, SMALL_UNITS } from './units.ts'

/** Takes a row group that lane number `lane` has encoded; the lane waits once a few are unanswered. */
export type LaneEmitHandler = (emit: LaneEmit, lane: number) => Promise<void>

/**
 * The lanes of a run, by number; each is lent to one unit at a time and remembers which files it knows. One that has
 * died is replaced when its number is used next, unless what it held is lost with it.
 */
export class LanePool {
  readonly #lanes: LaneClient[]
  readonly #start: (number: number) => LaneClient
  readonly #program: LaneProgram
  readonly #idle: number[]
  readonly #waiting: ((number: number) => void)[] = []
  readonly #knows = new Map<LaneClient, number>()

  private constructor(count: number, start: (number: number) => LaneClient, program: LaneProgram) {
    this.#lanes = Array.from({ length: count }, (_, i) => start(i))
    this.#start = start
    this.#program = program
    this.#idle = [...this.#lanes.keys()]
  }

  /** Starts and configures lanes, which end with the run at the latest. */
  static async open(
    count: number,
    start: (number: number) => LaneClient,
    program: LaneProgram,
    run: Run,
  ): Promise<LanePool> {
    const pool = new LanePool(count, start, program)
    run.onClose(() => pool.close())
    await Promise.all(pool.lanes.map(lane => lane.call('configure', program)))
    return pool
  }

  /** Ends the lanes; may be called again. */
  async close(): Promise<void> {
    await Promise.all(this.#lanes.map(lane => lane.close()))
  }

  get lanes(): readonly LaneClient[] {
    return this.#lanes
  }

  get size(): number {
    return this.#lanes.length
  }

  /** Waits for an idle lane. */
  async take(): Promise<number> {
    return this.#idle.shift() ?? new Promise<number>(resolve => this.#waiting.push(resolve))
  }

  giveBack(number: number): void {
    const next = this.#waiting.shift()
    if (next !== undefined) next(number)
    else this.#idle.push(number)
  }

  /** The lane of that number, which knows the file then and has forgotten the one before: lanes take files in order. */
  async lane(number: number, fragment: Fragment): Promise<LaneClient> {
    const lane = await this.#living(number)
    const known = this.#knows.get(lane)
    if (known === fragment.file.id) return lane
    this.#knows.set(lane, fragment.file.id)
    if (known !== undefined) await lane.call('dropFile', known)
    await lane.call('addFile', laneFile(fragment))
    return lane
  }

  async #living(number: number): Promise<LaneClient> {
    const lane = this.#lanes[number]!
    if (lane.failure === undefined) return lane
    if (keepsRows(this.#program)) throw lane.failure
    const next = this.#start(number)
    this.#lanes[number] = next
    await next.call('configure', this.#program)
    return next
  }
}

/** Whether lanes hold rows of units that they are done with. */
function keepsRows({ groups, sink, mode }: Pick<LaneProgram, 'groups' | 'sink' | 'mode'>): boolean {
  return groups !== undefined || (sink !== undefined && mode !== 'fragment')
}

/** What a lane counted that has given all its rows; it may die now and take nothing with it. */
export async function lastCounts(lane: LaneClient): Promise<LaneCounts | undefined> {
  try {
    return await lane.call<LaneCounts>('settle')
  } catch (error) {
    if (isLaneDeath(error)) return undefined
    throw error
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
  program: Omit<LaneProgram, 'arenaBytes' | 'mostBytes'>,
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
  const workers = ended ? Math.min(fitting, first.length) : fitting
  const units = source.fetched(chain(first, planned), run)
  const ahead = units.next()
  const taken = ahead.catch(() => undefined)
  run.onClose(async () => {
    const step = await taken
    if (step?.done === false) step.value.release()
    await units.return(undefined)
  })
  const lanes = first.length === 0 ? 0 : small ? 'inline' : workers
  const pool = await openLanes(lanes, run, program, emit)
  return { pool, units: resume(ahead, units) }
}

/** Starts and configures workers, or one lane on the main thread. */
export async function openLanes(
  lanes: number | 'inline',
  run: Run,
  program: Omit<LaneProgram, 'arenaBytes' | 'mostBytes'>,
  emit: LaneEmitHandler,
): Promise<LanePool> {
  const count = lanes === 'inline' ? 1 : lanes
  const arenaBytes = Math.floor(laneBytes(run.execution, Math.max(1, count)) * run.laneShare)
  if (lanes !== 'inline') run.lanes = Math.max(run.lanes, count)
  const worker = new URL(`./lane-worker${extname(import.meta.url)}`, import.meta.url)
  const start = (number: number): LaneClient => {
    const own = (value: unknown) => emit(value as LaneEmit, number)
    return lanes === 'inline' ? new InlineLane(laneHandlers, own) : new WorkerLane(worker, own)
  }
  return LanePool.open(count, start, { ...program, arenaBytes, mostBytes: run.execution.memory }, run)
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

/** Runs a loop for each lane; after the first failure the others stop at their next step, and it is thrown. */
export async function eachLane(
  pool: LanePool,
  loop: (lane: LaneClient, index: number, failed: () => boolean) => Promise<void>,
): Promise<void> {
  let failure: { error: unknown } | undefined
  await Promise.all(
    pool.lanes.map((lane, index) =>
      loop(lane, index, () => failure !== undefined).catch(error => {
        failure ??= { error }
      }),
    ),
  )
  if (failure !== undefined) throw (failure as { error: unknown }).error
}
