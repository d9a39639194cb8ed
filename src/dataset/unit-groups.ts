import { chunksOf, Groups } from '../core/aggregation/groups.ts'
import { type Aggregation, groupPlan } from '../core/aggregation/plan.ts'
import type { Arena } from '../core/arena.ts'
import { makeBatch } from '../core/batch.ts'
import type { LaneUnit } from './lane-messages.ts'
import type { Step, UnitDecoder } from './unit-decoder.ts'

/** Share of a lane's memory that its groups may have; decoding needs the rest. */
const SHARE = 0.25
/** Groups of one batch on their way to the main thread. */
const ROWS = 65_536
const NOTHING = makeBatch([], [], 0)

/** A lane's decoder with an aggregation behind it: gives partial groups instead of rows, when they outgrow their share. */
export class UnitGroups {
  readonly #decoder: UnitDecoder
  readonly #groups: Groups
  readonly #limit: number

  constructor(decoder: UnitDecoder, aggregation: Aggregation, arena: Arena) {
    this.#decoder = decoder
    this.#groups = new Groups(arena, groupPlan(aggregation, decoder.output))
    this.#limit = arena.limit * SHARE
  }

  /** Adds a unit's rows to the groups. */
  async *batches(unit: LaneUnit): AsyncGenerator<Step> {
    for await (const step of this.#decoder.batches(unit)) {
      try {
        for (const chunk of chunksOf(step.batch)) {
          this.#groups.add(chunk)
          if (this.#groups.bytes > this.#limit) yield* this.rest()
        }
      } finally {
        step.region?.free()
        step.scratch.free()
      }
      yield { ...step, batch: NOTHING }
    }
  }

  /** All groups; there are none then. */
  async *rest(): AsyncGenerator<Step> {
    for (const slice of this.#groups.slices(ROWS, false)) {
      const { region } = slice
      yield { batch: this.#groups.partialBatch(slice), region, scratch: region, rowsIn: 0, last: false }
    }
    this.#groups.clear()
  }
}
