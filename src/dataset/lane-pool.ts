import { extname } from 'node:path'
import { InlineLane, type LaneClient, WorkerLane } from '../core/lanes.ts'
import type { Run } from '../core/run.ts'
import { laneHandlers } from './lane.ts'
import type { LaneEmit, LaneProgram } from './lane-messages.ts'
import { laneBytes, lanesThatFit } from './mode.ts'
import { decodedBytes } from './scan-size.ts'
import { type FetchedUnit, type Fragment, fileColumns, laneFile, SMALL_RUN, SMALL_UNITS } from './units.ts'

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

/**
 * Looks at the first units and starts as many lanes as the run is worth: one on the main thread if there is
 * little to read, else workers.
 *
 * @returns the pool, and all the units
 */
export async function startLanes(
  units: AsyncGenerator<FetchedUnit>,
  run: Run,
  program: Omit<LaneProgram, 'arenaBytes'>,
  emit: LaneEmitHandler,
): Promise<{ pool: LanePool; units: AsyncGenerator<FetchedUnit> }> {
  const first: FetchedUnit[] = []
  let bytes = 0
  let ended = false
  let pending: Promise<IteratorResult<FetchedUnit>> | undefined
  try {
    while (!ended && (bytes < SMALL_RUN || first.length < 2) && first.length < SMALL_UNITS) {
      pending ??= units.next()
      // A unit that waits for the budget may wait for those that are held here.
      const held = first.length > 0
      const step = await (held ? Promise.race([pending, run.budget.contended()]) : pending)
      if (step === undefined) break
      pending = undefined
      if (step.done) ended = true
      else {
        first.push(step.value)
        bytes += step.value.unit.chunks.reduce((sum, chunk) => sum + chunk.bytes.byteLength, 0)
      }
    }
    const small = ended && (first.length <= 1 || bytes < SMALL_RUN)
    const fitting = lanesThatFit(run.execution, Math.max(0, ...first.map(unit => unitBytes(unit, program))))
    const count = small ? 0 : ended ? Math.min(fitting, first.length) : fitting
    const pool = await openLanes(count, run, program, emit)
    return { pool, units: chain(first, pending, units) }
  } catch (error) {
    for (const unit of first) unit.release()
    await units.return(undefined)
    throw error
  }
}

function unitBytes({ fragment, unit }: FetchedUnit, { input }: Omit<LaneProgram, 'arenaBytes'>): number {
  const columns = fileColumns(
    input.map(({ name }) => name),
    fragment,
  )
  return unit.rowGroups.reduce((sum, rowGroup) => sum + decodedBytes(fragment.metadata, rowGroup, columns), 0)
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

/** All units: those at hand, the one that has been asked for, and the rest. */
async function* chain(
  first: FetchedUnit[],
  pending: Promise<IteratorResult<FetchedUnit>> | undefined,
  rest: AsyncGenerator<FetchedUnit>,
): AsyncGenerator<FetchedUnit> {
  let asked = pending
  try {
    for (let unit = first.shift(); unit !== undefined; unit = first.shift()) yield unit
    const step = await asked
    asked = undefined
    if (step?.done === false) yield step.value
    yield* rest
  } finally {
    for (const unit of first) unit.release()
    const closing = rest.return(undefined)
    const step = await asked?.catch(() => undefined)
    if (step?.done === false) step.value.release()
    await closing
  }
}
