import type { Lease } from '../core/budget.ts'
import type { LaneClient } from '../core/lanes.ts'
import { isLaneDeath } from '../core/retry.ts'
import type { Run } from '../core/run.ts'
import type { LaneBatch } from './lane-messages.ts'
import type { LanePool } from './lane-pool.ts'
import { type FetchedUnit, locatedIn } from './units.ts'

/** A unit in a lane, pulled batch by batch. The lane is free for the next one as soon as the last batch is out. */
export class OpenUnit {
  /** The first batch, decoded ahead of need. */
  first: LaneBatch | undefined
  readonly #fetched: FetchedUnit
  readonly #pool: LanePool
  readonly #run: Run
  /** The lane's number while the unit has one. */
  #number: number | undefined
  #lane: LaneClient | undefined
  #lease: Lease | undefined
  /** Batches that were given. */
  #given = 0

  private constructor(fetched: FetchedUnit, pool: LanePool, run: Run) {
    this.#fetched = fetched
    this.#pool = pool
    this.#run = run
  }

  static async open(fetched: FetchedUnit, pool: LanePool, run: Run): Promise<OpenUnit> {
    const unit = new OpenUnit(fetched, pool, run)
    try {
      unit.#number = await pool.take()
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
    if (this.#number === undefined) return undefined
    const step = await this.#run.attempt(() => this.#step(), isLaneDeath)
    // It is in memory already, and a lane has one at most.
    this.#lease = this.#run.budget.force(step?.bytes ?? 0)
    if (step === undefined || step.last) this.#free()
    return step
  }

  release(): void {
    this.#lease?.release()
    this.#free()
  }

  /** A lane that comes in the place of one that has died begins anew, and passes over the batches that were given. */
  async #step(): Promise<LaneBatch | undefined> {
    const { fragment, unit } = this.#fetched
    try {
      if (this.#lane === undefined || this.#lane.failure !== undefined) {
        this.#lane = await this.#pool.lane(this.#number!, fragment)
        await this.#lane.call('open', unit)
        for (let i = 0; i < this.#given; i++) await this.#lane.call('next')
      }
      const step = await this.#lane.call<LaneBatch | undefined>('next')
      this.#given++
      return step
    } catch (error) {
      throw locatedIn(error, fragment, unit.rowGroups)
    }
  }

  #free(): void {
    if (this.#number !== undefined) this.#pool.giveBack(this.#number)
    this.#number = undefined
    this.#fetched.release()
  }
}
