import type { Lease } from '../core/budget.ts'
import type { LaneClient } from '../core/lanes.ts'
import type { Run } from '../core/run.ts'
import type { LaneBatch } from './lane-messages.ts'
import type { LanePool } from './lane-pool.ts'
import type { FetchedUnit } from './units.ts'

/** A unit in a lane, pulled batch by batch. The lane is free for the next one as soon as the last batch is out. */
export class OpenUnit {
  /** The first batch, decoded ahead of need. */
  first: LaneBatch | undefined
  readonly #fetched: FetchedUnit
  readonly #pool: LanePool
  readonly #run: Run
  #lane: LaneClient | undefined
  #lease: Lease | undefined

  private constructor(fetched: FetchedUnit, pool: LanePool, run: Run) {
    this.#fetched = fetched
    this.#pool = pool
    this.#run = run
  }

  static async open(fetched: FetchedUnit, pool: LanePool, run: Run): Promise<OpenUnit> {
    const unit = new OpenUnit(fetched, pool, run)
    try {
      unit.#lane = await pool.take(fetched.fragment)
      await unit.#lane.call('open', fetched.unit)
      unit.first = await unit.next()
      return unit
    } catch (error) {
      unit.release()
      throw error
    }
  }

  /** The next batch; the one before is no longer counted in the budget. */
  async next(): Promise<LaneBatch | undefined> {
    this.#lease?.release()
    if (this.#lane === undefined) return undefined
    const step = await this.#lane.call<LaneBatch | undefined>('next')
    // It is in memory already, and a lane has one at most.
    this.#lease = this.#run.budget.force(step?.bytes ?? 0)
    if (step === undefined || step.last) this.#free()
    return step
  }

  release(): void {
    this.#lease?.release()
    this.#free()
  }

  #free(): void {
    if (this.#lane !== undefined) this.#pool.giveBack(this.#lane)
    this.#lane = undefined
    this.#fetched.release()
  }
}
