import type { DataType } from 'apache-arrow'
import type { Region } from '../arena.ts'
import { SluiceError } from '../errors.ts'
import { bitmapBytes, type Coded, type Column, makeColumn } from './column.ts'
import { BYTES, type Repr, unitNanos } from './types.ts'

const NANOS_PER_DAY = 86_400_000_000_000n

/** Rows by code. */
export function lookUp(region: Region, { codes, rows, dictionary }: Coded): Column {
  const { arena } = region
  const { kernels } = arena
  const { repr, type } = dictionary
  const bits = (bitmap: number) => {
    const flags = region.alloc(dictionary.rows)
    kernels.unpackBits(bitmap, 0, dictionary.rows, flags)
    const out = region.alloc(bitmapBytes(rows))
    kernels.flagCodes(codes, rows, flags, out)
    return out
  }
  const validity = dictionary.validity === 0 ? 0 : bits(dictionary.validity)
  if (repr === 'bool') return makeColumn(type, rows, bits(dictionary.values), validity)
  if (repr === 'bytes') {
    const offsets = region.alloc(rows * 4 + 4)
    const values = region.alloc(textBytes(kernels.lookUpOffsets(codes, rows, dictionary.offsets, offsets)))
    kernels.lookUpBytes(codes, rows, dictionary.offsets, dictionary.values, values)
    return makeColumn(type, rows, values, validity, offsets)
  }
  const values = region.alloc(rows * BYTES[repr])
  if (BYTES[repr] > 0) kernels.lookUp(codes, rows, dictionary.values, BYTES[repr], values)
  return makeColumn(type, rows, values, validity)
}

/** Ticks as int64, of days too. */
export function ticksOf(region: Region, arg: Column): number {
  if (arg.repr === 'i64') return arg.values
  const ticks = region.alloc(arg.rows * 8)
  region.arena.kernels.widenI64(kindOf(arg.repr), arg.values, arg.rows, ticks)
  return ticks
}

/** How many of a date's or timestamp's units make a day. */
export function perDay(type: DataType): bigint {
  return NANOS_PER_DAY / unitNanos(type)
}

/** The number that kernels know a representation of numbers by. */
export function kindOf(repr: Repr): number {
  return ['i8', 'i16', 'i32', 'i64', 'u8', 'u16', 'u32', 'u64', 'f32', 'f64'].indexOf(repr)
}

/** The rows in which both are there, or 0 if that is all. */
export function bothValid(region: Region, rows: number, a: Column, b: Column): number {
  if (a.validity === 0 || a.validity === b.validity) return b.validity
  if (b.validity === 0) return a.validity
  const out = region.alloc(bitmapBytes(rows))
  region.arena.kernels.andBits(a.validity, b.validity, rows, out)
  return out
}

/** A validity that may be written to. */
export function copiedValidity(region: Region, rows: number, validity: number): number {
  const bytes = bitmapBytes(rows)
  const copy = region.alloc(bytes)
  if (validity === 0) region.arena.u8(copy, bytes).fill(255)
  else region.arena.u8(copy, bytes).set(region.arena.u8(validity, bytes))
  return copy
}

/** Bytes of text, if int32 offsets can reach them. */
export function textBytes(bytes: number): number {
  if (bytes < 2 ** 31) return bytes
  throw new SluiceError('budget', `a column of ${bytes} bytes of text is more than one batch can hold`, {
    hint: "Use mode 'batch', or fewer rows a batch.",
  })
}
