import { assertCount } from '../core/count.ts'
import { SluiceError } from '../core/errors.ts'
import type { ByteRange, EachRequest, GetOptions, GetRangesOptions } from './store.ts'

/** Ranges read together: one request, one allocation. */
export interface CoalescedRange extends ByteRange {
  /** The ordinals, among the ranges asked for, of those that lie within. */
  members: number[]
}

export interface CoalesceOptions {
  /** Bytes between two ranges that are rather read than skipped. */
  gap: number
  /** No request grows beyond this by joining; a single range may be longer. @default Infinity */
  maxBytes?: number
}

/** Joins ranges that overlap or lie near one another, in ascending order. Empty ranges are left out. */
export function coalesceRanges(
  ranges: readonly ByteRange[],
  { gap, maxBytes = Number.POSITIVE_INFINITY }: CoalesceOptions,
): CoalescedRange[] {
  const order = ranges
    .map((_, index) => index)
    .filter(index => ranges[index]!.end > ranges[index]!.start)
    .sort((a, b) => ranges[a]!.start - ranges[b]!.start)
  const joined: CoalescedRange[] = []
  for (const index of order) {
    const { start, end } = ranges[index]!
    const last = joined.at(-1)
    if (last !== undefined && start - last.end <= gap && Math.max(end, last.end) - last.start <= maxBytes) {
      last.end = Math.max(last.end, end)
      last.members.push(index)
    } else joined.push({ start, end, members: [index] })
  }
  return joined
}

/** What is read for them. */
export function extentOf(joined: readonly CoalescedRange[]): { bytes: number; count: number } {
  return { bytes: joined.reduce((sum, { start, end }) => sum + end - start, 0), count: joined.length }
}

/** The bytes asked for, as views of what was read for each coalesced range, in the order asked. */
export function viewsOf(
  ranges: readonly ByteRange[],
  joined: readonly CoalescedRange[],
  memory: readonly Uint8Array[],
): Uint8Array[] {
  const views: Uint8Array[] = ranges.map(() => new Uint8Array(0))
  joined.forEach(({ start, members }, group) => {
    for (const index of members) {
      const range = ranges[index]!
      views[index] = memory[group]!.subarray(range.start - start, range.end - start)
    }
  })
  return views
}

/** Checks the options of a read of ranges. */
export function validateReadOptions({ coalesceGap, maxRequestBytes }: GetRangesOptions): void {
  if (coalesceGap !== undefined && !(coalesceGap >= 0)) {
    throw new SluiceError('invalid-argument', `must be 0 or more, not ${coalesceGap}`, {
      option: 'coalesceGap',
    })
  }
  if (maxRequestBytes !== undefined) assertCount('maxRequestBytes', maxRequestBytes)
}

/** Makes a request of a read where nobody wants to know of it. */
export const atOnce: EachRequest = (_, run) => run()

/** Checks ranges against the object's size: a view that is shorter than asked for is never returned. */
export function validateRanges(ranges: readonly ByteRange[], size: number, file: string): void {
  for (const { start, end } of ranges) {
    if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
      throw new SluiceError('invalid-argument', `${start} to ${end} is no range of bytes`, {
        option: 'ranges',
        file,
      })
    }
    if (end > size) {
      throw new SluiceError('invalid-argument', `bytes ${start} to ${end} lie beyond the end, at ${size}`, {
        option: 'ranges',
        file,
      })
    }
  }
}

/** What `get` reads of an object of `size` bytes: an end beyond the object's is cut, a start is an error. */
export function resolveRange(range: GetOptions['range'], size: number, file: string): ByteRange {
  if (range === undefined) return { start: 0, end: size }
  const [start, end] =
    'suffix' in range
      ? [Math.max(0, size - range.suffix), size]
      : [range.start, Math.min(size, range.end ?? size)]
  const asked = 'suffix' in range ? range.suffix : range.start
  if (!Number.isSafeInteger(asked) || asked < 0 || !Number.isSafeInteger(end) || end < start) {
    const reason = `${JSON.stringify(range)} is no range of an object of ${size} bytes`
    throw new SluiceError('invalid-argument', reason, { option: 'range', file })
  }
  return { start, end }
}
