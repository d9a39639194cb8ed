import { DataType } from 'apache-arrow'
import type { Region } from '../arena.ts'
import { bitmapBytes, type Column } from './column.ts'
import { formatDate, formatTimestamp } from './temporal.ts'
import { BYTES, type Repr, unitNanos } from './types.ts'

/** One value as text, the way a cast to text has it. */
export function renderValue(region: Region, column: Column, row: number): string {
  return rendererOf(region, column)(column.constant ? 0 : row)
}

/** Texts of a column's values by row, or by 0 for a constant. */
export function rendererOf(region: Region, column: Column): (row: number) => string {
  const { buffer } = region.arena
  const { type, repr, values } = column
  const length = column.constant ? 1 : column.rows
  if (repr === 'bytes') {
    const offsets = region.arena.i32(column.offsets, length + 1)
    return row => {
      const bytes = Buffer.from(buffer, values + offsets[row]!, offsets[row + 1]! - offsets[row]!)
      return DataType.isUtf8(type) ? `'${bytes.toString()}'` : `X'${bytes.toString('hex')}'`
    }
  }
  if (repr === 'bool') {
    const bits = region.arena.u8(values, bitmapBytes(length))
    return row => ((bits[row >> 3]! >> (row & 7)) & 1 ? 'true' : 'false')
  }
  const view = new DataView(buffer, values, length * BYTES[repr])
  const read = (row: number) => readNumber(view, repr, row)
  if (DataType.isDate(type) || DataType.isTimestamp(type)) {
    const nanos = unitNanos(type)
    if (repr === 'i32') return row => formatDate(Number(read(row)))
    return row => formatTimestamp(BigInt(read(row)) * nanos)
  }
  if (DataType.isDecimal(type)) {
    const { scale } = type
    return row => decimalText(BigInt(read(row)), scale)
  }
  if (repr === 'f32' || repr === 'f64') return row => floatText(Number(read(row)), repr)
  return row => String(read(row))
}

function readNumber(view: DataView, repr: Repr, row: number): number | bigint {
  const at = row * BYTES[repr]
  switch (repr) {
    case 'i8':
      return view.getInt8(at)
    case 'i16':
      return view.getInt16(at, true)
    case 'i32':
      return view.getInt32(at, true)
    case 'u8':
      return view.getUint8(at)
    case 'u16':
      return view.getUint16(at, true)
    case 'u32':
      return view.getUint32(at, true)
    case 'u64':
      return view.getBigUint64(at, true)
    case 'f32':
      return view.getFloat32(at, true)
    case 'f64':
      return view.getFloat64(at, true)
    case 'i128':
      return (view.getBigInt64(at + 8, true) << 64n) | view.getBigUint64(at, true)
    default:
      return view.getBigInt64(at, true)
  }
}

export function decimalText(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  const sign = unscaled < 0n ? '-' : ''
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** The shortest text that reads back as the same float, always marked as one. */
function floatText(value: number, repr: Repr): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf'
  const text = shortestFloat(value, repr === 'f32')
  return /^-?\d+$/.test(text) ? `${text}.0` : text
}

/** The fewest digits that give the same finite number, in single precision or in double; -0 keeps its sign. */
export function shortestFloat(value: number, single: boolean): string {
  if (Object.is(value, -0)) return '-0'
  for (let digits = 1; single && digits <= 9; digits++) {
    const shorter = Number(value.toPrecision(digits))
    if (Math.fround(shorter) === value) return String(shorter)
  }
  return String(value)
}
