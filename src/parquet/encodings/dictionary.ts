import type { Region } from '../../core/arena.ts'
import { SluiceError } from '../../core/errors.ts'
import type { Encoding } from '../metadata.ts'
import { type Encoded, malformedValues } from './encoded.ts'

/** Both names mean the same in data pages; format version 1 used the first. */
export function isDictionaryEncoding(encoding: Encoding): boolean {
  return encoding === 'RLE_DICTIONARY' || encoding === 'PLAIN_DICTIONARY'
}

/** A byte that says how wide the codes are, then their runs; every code is checked to be below `entries`. */
export function dictionaryCodes(encoded: Encoded, entries: number, target: number, region: Region): void {
  const { values, end, count } = encoded
  if (count === 0) return
  const { arena } = region
  if (end <= values) throw malformedValues('RLE_DICTIONARY')
  const bitWidth = arena.u8(values, 1)[0]!
  const largest = arena.kernels.rleToI32(values + 1, end, bitWidth, count, target)
  if (largest === -1) throw malformedValues('RLE_DICTIONARY')
  if (largest >>> 0 >= entries) {
    throw new SluiceError('corrupt', `code ${largest >>> 0} is beyond the dictionary of ${entries} values`)
  }
}
