/**
 * Aggregates by group: `groups` names the group of each of `n` rows (0: all are in group 0), `valid` is a bitmap or
 * 0, a state has an entry for each group. See `assembly/aggregate.ts`.
 */
export interface AggregateKernels {
  countGroups(groups: number, valid: number, n: number, counts: number): void
  addCounts(groups: number, values: number, n: number, counts: number): void
  /** Into sums of 128 bits. */
  sumI64(groups: number, values: number, valid: number, n: number, unsigned: boolean, sums: number): void
  /** Returns the first row whose sum leaves 128 bits, or -1. */
  sumI128(groups: number, values: number, valid: number, n: number, sums: number): number
  sumF64(groups: number, values: number, valid: number, n: number, sums: number): void
  boundGroupsI64: BoundGroups
  boundGroupsU64: BoundGroups
  boundGroupsF64: BoundGroups
  boundGroupsI128: BoundGroups
  /** Values and bounds are spans. Returns where the heap, which takes the bounds' bytes, goes on. */
  boundGroupsSpans(
    groups: number,
    spans: number,
    valid: number,
    n: number,
    greatest: boolean,
    bounds: number,
    heap: number,
  ): number
  fill64(at: number, n: number, value: bigint): void
  fill128(at: number, n: number, low: bigint, high: bigint): void
  /** Copies the bytes of spans to `to` and points those there that are not at address 0; returns the end. */
  moveSpans(spans: number, n: number, to: number): number
  /** `numbers`: spans of 128-bit integers. `scratch` has room for as many spans. */
  sortSpans(spans: number, n: number, numbers: boolean, scratch: number): void
  /** One form of zero and of NaN. */
  canonicalF64(values: number, n: number, out: number): void
  clearNulls(codes: number, valid: number, n: number): void
  /** A bitmap of the codes above 0. */
  validCodes(codes: number, n: number, out: number): void
  splitPairs(pairs: number, n: number, first: number, second: number): void
  /** Indices of the counts above 0; returns their number. */
  liveGroups(counts: number, n: number, out: number): number
}

export type BoundGroups = (
  groups: number,
  values: number,
  valid: number,
  n: number,
  greatest: boolean,
  bounds: number,
) => void
