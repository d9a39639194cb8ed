/** Numbering distinct values in order of first appearance; see `assembly/distinct.ts`. */
export interface DistinctKernels {
  distinct32(
    values: number,
    bits: number,
    bitOffset: number,
    count: number,
    base: number,
    limit: number,
    table: number,
    mask: number,
    codes: number,
    rows: number,
  ): number
  distinct64(
    values: number,
    bits: number,
    bitOffset: number,
    count: number,
    base: number,
    limit: number,
    table: number,
    mask: number,
    codes: number,
    rows: number,
  ): number
  distinctBytes(
    offsets: number,
    bytes: number,
    bits: number,
    bitOffset: number,
    count: number,
    base: number,
    limit: number,
    table: number,
    mask: number,
    codes: number,
    rows: number,
  ): number
}
