/**
 * Numbering distinct values in order of first appearance. A table has `2^tableBits` slots (4 bytes each, 8 for
 * spans), cleared at first and at least twice as many as `limit`; `distinct` is what the last call returned.
 * The builders return -1 instead of a number above `limit`.
 */
export interface DictionaryKernels {
  buildDictionary32: BuildDictionary
  buildDictionary64: BuildDictionary
  /** Values are spans, and so is the dictionary. */
  buildDictionarySpans: BuildDictionary
  /**
   * Renumbers the valid codes from `distinct` on and drops the others; `map` (an entry per value of the
   * dictionary, 0 at first) says the number of a code, `used` the code of a number. Returns the next number, or
   * -1 for a code outside the dictionary.
   */
  compactCodes(
    codes: number,
    bits: number,
    from: number,
    count: number,
    map: number,
    size: number,
    used: number,
    distinct: number,
    out: number,
  ): number
  /** The same from 0 on, with the code 0 for null rows instead of none. Returns how many codes occur, or -1. */
  renumberCodes(
    codes: number,
    bits: number,
    from: number,
    count: number,
    map: number,
    size: number,
    used: number,
    out: number,
  ): number
  /** The code that a table of `size` has for each, 0 for null rows; -1 for one that is not below `size`. */
  translateCodes(
    codes: number,
    bits: number,
    from: number,
    table: number,
    size: number,
    count: number,
    out: number,
  ): number
  /** Each code once; a code whose stamp equals `epoch` has been seen. Returns how many. */
  distinctCodes(codes: number, count: number, stamps: number, epoch: number, out: number): number
}

export type BuildDictionary = (
  values: number,
  count: number,
  table: number,
  tableBits: number,
  distinct: number,
  limit: number,
  dictionary: number,
  codes: number,
) => number
