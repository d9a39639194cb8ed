import { formatBytes } from '../core/bytes.ts'
import type { Mode } from '../core/report.ts'
import { LANES_SHARE, type ResolvedExecution } from '../core/run.ts'

/** A decoded row group is there up to three times at once: decoded, filtered, ordered by partition. */
const COPIES = 3

/** Bytes of memory for each of `lanes` lanes. */
export function laneBytes({ memory }: ResolvedExecution, lanes: number): number {
  return Math.floor((memory * LANES_SHARE) / lanes)
}

/**
 * How many lanes the budget has room for: each should be able to hold twice what one unit decodes to, or else
 * there is no room for rows that wait for more of their partition.
 */
export function lanesThatFit({ memory, lanes }: ResolvedExecution, unitBytes: number): number {
  return Math.max(1, Math.min(lanes, Math.floor((memory * LANES_SHARE) / (2 * Math.max(1, unitBytes)))))
}

/**
 * The mode asked for; for `auto`, `streaming` if a decoded row group fits in half of a lane's memory, else
 * `batch`. `fragment` is never chosen: it writes files for every source file, which is for the user to want.
 *
 * @param rowGroups decoded sizes of typical row groups
 */
export function chooseMode(
  execution: ResolvedExecution,
  rowGroups: readonly number[],
): { mode: Mode; because: string } {
  if (execution.mode !== 'auto') return { mode: execution.mode, because: 'as asked' }
  const room = laneBytes(execution, execution.lanes) / 2
  const largest = rowGroups.reduce((most, size) => Math.max(most, size), 0) * COPIES
  const sizes = `a row group needs about ${formatBytes(Math.round(largest))}, a lane has ${formatBytes(Math.round(room))} for it`
  return largest <= room ? { mode: 'streaming', because: sizes } : { mode: 'batch', because: sizes }
}
