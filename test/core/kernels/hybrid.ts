import fc from 'fast-check'
import { bitsOf, concat, packValues, varint } from '../../support/bytes.ts'
import { integers } from './values.ts'

// Parquet's RLE / bit-packing hybrid (Encodings.md, "RLE = 3") in plain TypeScript.

/** A run of the hybrid: one value many times, or groups of eight packed values. */
export type Run = { value: bigint; times: number } | { packed: bigint[] }

export const runsOf = (width: number): fc.Arbitrary<Run[]> => {
  const value = width === 0 ? fc.constant(0n) : integers(width, false)
  const packed = fc
    .integer({ min: 0, max: 12 })
    .chain(groups => fc.array(value, { minLength: groups * 8, maxLength: groups * 8, size: 'max' }))
  return fc.array(
    fc.oneof(
      fc.record({ value, times: fc.nat(200) }),
      packed.map(packed => ({ packed })),
    ),
    { maxLength: 8, size: 'max' },
  )
}

/** The hybrid by its grammar. */
export function encodeRuns(runs: readonly Run[], width: number): Uint8Array {
  return concat(
    runs.flatMap(run =>
      'packed' in run
        ? [varint(BigInt(((run.packed.length / 8) << 1) | 1)), packValues(run.packed, width)]
        : [varint(BigInt(run.times << 1)), packValues([run.value], width)],
    ),
  )
}

/** Reads the hybrid by its grammar; undefined if it is malformed, ends too early or has a run of more than `most`. */
export function decodeRuns(
  bytes: Uint8Array,
  width: number,
  count: number,
  most: number = Number.POSITIVE_INFINITY,
): number[] | undefined {
  const values: number[] = []
  let at = 0
  while (values.length < count) {
    let header = 0n
    let shift = 0n
    do {
      if (at === bytes.length || shift === 35n) return undefined
      header |= BigInt(bytes[at]! & 127) << shift
      shift += 7n
    } while (bytes[at++]! >= 128)
    if (header >= 2n ** 32n) return undefined
    const length = Number(header >> 1n)
    const left = count - values.length
    if (header & 1n) {
      const wanted = Math.min(8 * length, left)
      // The padding of the last group may be left out.
      if (Math.ceil((wanted * width) / 8) > bytes.length - at) return undefined
      for (let i = 0; i < wanted; i++) {
        values.push(
          Number(
            `0b${bitsOf(bytes, 8 * at + i * width, width)
              .reverse()
              .join('')}`,
          ),
        )
      }
      at = Math.min(bytes.length, at + length * width)
    } else {
      const size = Math.ceil(width / 8)
      if (size > bytes.length - at) return undefined
      const value = bytes.subarray(at, at + size).reduceRight((sum, byte) => sum * 256 + byte, 0)
      if (value > most) return undefined
      at += size
      for (let i = 0; i < Math.min(length, left); i++) values.push(value)
    }
  }
  return values
}

export const valuesIn = (runs: readonly Run[]): number[] =>
  runs
    .flatMap(run => ('packed' in run ? run.packed : new Array<bigint>(run.times).fill(run.value)))
    .map(Number)
