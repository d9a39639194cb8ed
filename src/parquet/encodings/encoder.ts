import type { Encoding } from '../metadata.ts'

/** The values of one column in one encoding: what a page holds after its levels. */
export interface ValueEncoder {
  encoding: Encoding
  /** At least as many bytes as {@link ValueEncoder.encode} will write for the same values. */
  bound(from: number, count: number): number
  /** Encodes `count` non-null values from ordinal `from` on at address `out`; returns the number of bytes. */
  encode(from: number, count: number, out: number): number
}
