import type { Region } from '../arena.ts'
import type { LikePattern } from './bound.ts'
import { bitmapBytes, type Column, constantColumn, makeColumn, strideOf } from './column.ts'
import { compare } from './compare.ts'
import { bothValid, textBytes } from './operands.ts'
import { BOOL, INT64, UTF8 } from './types.ts'

/** Texts that match a pattern. */
export function like(region: Region, arg: Column, pattern: LikePattern): Column {
  const { rows } = arg
  const { arena } = region
  if (arg.allNull) return constantColumn(region, BOOL, null, rows)
  if (pattern.shape === 'exact') {
    return compare(region, rows, '=', arg, constantColumn(region, arg.type, pattern.prefix, rows))
  }
  const size = pattern.bytes.length
  const bytes = region.alloc(size)
  const flags = region.alloc(size)
  arena.u8(bytes, size).set(pattern.bytes)
  arena.u8(flags, size).set(pattern.flags)
  const out = region.alloc(bitmapBytes(rows))
  const shape = pattern.shape === 'prefix' ? 1 : 0
  arena.kernels.like(arg.offsets, arg.values, rows, bytes, flags, size, pattern.prefix.length, shape, out)
  return makeColumn(BOOL, rows, out, arg.validity)
}

export function countCharacters(region: Region, arg: Column): Column {
  if (arg.allNull) return constantColumn(region, INT64, null, arg.rows)
  const values = region.alloc(arg.rows * 8)
  region.arena.kernels.countCharacters(arg.offsets, arg.values, arg.rows, values)
  return makeColumn(INT64, arg.rows, values, arg.validity)
}

/** Upper or lower case: of ASCII by kernel, of anything else by JavaScript, whose case mapping is Unicode's. */
export function changeCase(region: Region, arg: Column, to: 'lower' | 'upper'): Column {
  const { arena } = region
  const { rows } = arg
  if (arg.allNull) return arg
  const offsets = arena.i32(arg.offsets, rows + 1)
  const first = offsets[0]!
  const length = offsets[rows]! - first
  const mapped = region.alloc(length)
  if (arena.kernels.mapAscii(arg.values + first, length, to === 'upper' ? 1 : 0, mapped) === 1) {
    return { ...arg, values: mapped - first }
  }
  return mapText(region, arg, to === 'upper' ? text => text.toUpperCase() : text => text.toLowerCase())
}

/** Characters by place, from 1; without `length` to the end. */
export function substring(region: Region, arg: Column, start: number, length: number | undefined): Column {
  const { arena } = region
  const { rows } = arg
  if (arg.allNull) return arg
  const all = arena.i32(arg.offsets, rows + 1)
  const offsets = region.alloc(rows * 4 + 4)
  const values = region.alloc(all[rows]! - all[0]!)
  arena.kernels.substring(arg.offsets, arg.values, rows, start, length ?? 2 ** 31 - 1, offsets, values)
  return makeColumn(arg.type, rows, values, arg.validity, offsets)
}

export function concat(region: Region, rows: number, a: Column, b: Column): Column {
  const { kernels } = region.arena
  if (a.allNull || b.allNull) return constantColumn(region, UTF8, null, rows)
  if (a.constant && b.constant) {
    const text = [a, b].map(({ offsets, values }) =>
      region.arena.u8(values, region.arena.i32(offsets, 2)[1]!),
    )
    return constantColumn(region, UTF8, Buffer.concat(text), rows)
  }
  const offsets = region.alloc(rows * 4 + 4)
  const bytes = textBytes(
    kernels.concatOffsets(a.offsets, strideOf(a), b.offsets, strideOf(b), rows, offsets),
  )
  const values = region.alloc(bytes)
  kernels.concatBytes(a.offsets, strideOf(a), a.values, b.offsets, strideOf(b), b.values, rows, values)
  return makeColumn(UTF8, rows, values, bothValid(region, rows, a, b), offsets)
}

/** Text by a function of strings, for what has no kernel. */
function mapText(region: Region, arg: Column, map: (text: string) => string): Column {
  const { arena } = region
  const from = arena.i32(arg.offsets, arg.rows + 1)
  const base = Buffer.from(arena.buffer, arg.values + from[0]!, from[arg.rows]! - from[0]!)
  return writeText(region, arg.rows, arg.validity, row =>
    map(base.toString('utf8', from[row]! - from[0]!, from[row + 1]! - from[0]!)),
  )
}

/** A column of texts made one by one; null rows are empty. */
export function writeText(
  region: Region,
  rows: number,
  validity: number,
  text: (row: number) => string,
): Column {
  const { arena } = region
  const offsets = region.alloc(rows * 4 + 4)
  const ends = arena.i32(offsets, rows + 1)
  const bits = validity === 0 ? undefined : arena.u8(validity, bitmapBytes(rows))
  const parts: string[] = []
  let end = 0
  for (let row = 0; row < rows; row++) {
    ends[row] = end
    if (bits !== undefined && ((bits[row >> 3]! >> (row & 7)) & 1) === 0) continue
    const part = text(row)
    parts.push(part)
    end += Buffer.byteLength(part)
  }
  ends[rows] = textBytes(end)
  const values = region.alloc(end)
  let at = 0
  const bytes = Buffer.from(arena.buffer, values, end)
  for (const part of parts) at += bytes.write(part, at)
  return makeColumn(UTF8, rows, values, validity, offsets)
}
