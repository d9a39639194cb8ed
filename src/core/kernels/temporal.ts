/** Calendar arithmetic on int64 ticks, `perDay` of them a day; see `assembly/temporal.ts`. */
export interface TemporalKernels {
  datePart(part: number, a: number, n: number, perDay: bigint, out: number): void
  /** Returns the first valid row whose unit starts before the least int64, or -1. */
  truncateTime(unit: number, a: number, n: number, perDay: bigint, valid: number, out: number): number
  /** Days and ticks within the day, as doubles. */
  splitTime(a: number, n: number, perDay: bigint, days: number, rest: number): void
}
