import { type Data, type DataType, Decimal, Uint64 } from 'apache-arrow'
import type { Region } from '../arena.ts'
import { bitmapBytes, type Coded, type Column, isCoded, makeColumn, toData } from '../expressions/column.ts'
import { kindOf } from '../expressions/operands.ts'
import { BINARY, FLOAT64, INT64, reprOf } from '../expressions/types.ts'

/**
 * What values are grouped, compared and summed as, whatever their type: int64 (integers, booleans, days and times),
 * uint64, doubles, 128-bit integers (decimals), or byte strings.
 */
export type Form = 'i64' | 'u64' | 'f64' | 'i128' | 'bytes'

/** Values in their form: 8 bytes each, 16 for `i128`, and spans for `bytes`; `validity` is a bitmap, or 0. */
export interface Formed {
  form: Form
  rows: number
  values: number
  validity: number
}

/** Absent for types that cannot be grouped, such as lists. */
export function formOf(type: DataType): Form | undefined {
  const repr = reprOf(type)
  switch (repr) {
    case 'opaque':
      return undefined
    case 'u64':
    case 'i128':
    case 'bytes':
      return repr
    case 'f16':
    case 'f32':
    case 'f64':
      return 'f64'
    default:
      return 'i64'
  }
}

/** The values of a column in their form. */
export function formed(column: Column | Coded, region: Region): Formed {
  if (!isCoded(column)) return formedPlain(column, region)
  const { kernels } = region.arena
  const { codes, rows, dictionary } = column
  const { form, values, validity } = formedPlain(dictionary, region)
  const width = widthOf(form)
  const out = region.alloc(rows * width)
  kernels.lookUp(codes, rows, values, width, out)
  if (validity === 0) return { form, rows, values: out, validity }
  const flags = region.alloc(dictionary.rows)
  kernels.unpackBits(validity, 0, dictionary.rows, flags)
  const bits = region.alloc(bitmapBytes(rows))
  kernels.flagCodes(codes, rows, flags, bits)
  return { form, rows, values: out, validity: bits }
}

export function widthOf(form: Form): 8 | 16 {
  return form === 'i128' ? 16 : 8
}

function formedPlain({ type, repr, rows, values, offsets, validity }: Column, region: Region): Formed {
  const { arena } = region
  const { kernels } = arena
  const form = formOf(type)
  // Nothing but its nulls is looked at.
  if (form === undefined) return { form: 'i64', rows, values: 0, validity }
  if (repr === 'null') {
    return { form, rows, values: region.zeroed(rows * 8), validity: region.zeroed(bitmapBytes(rows)) }
  }
  if (repr === form && repr !== 'bytes') return { form, rows, values, validity }
  const out = region.alloc(rows * 8)
  if (repr === 'bytes') {
    const end = arena.i32(offsets, rows + 1)[rows]!
    kernels.spansOfOffsets(offsets, values, 0, end, 0, 0, rows, out)
  } else if (repr === 'bool') {
    const octets = region.alloc(rows)
    kernels.unpackBits(values, 0, rows, octets)
    kernels.widenI64(kindOf('u8'), octets, rows, out)
  } else if (form === 'f64') kernels.widenF64(kindOf(repr), values, rows, out)
  else kernels.widenI64(kindOf(repr), values, rows, out)
  return { form, rows, values: out, validity }
}

/** The other way round: values in their form as a column of `type`. */
export function columnOfForm(type: DataType, { rows, values, validity }: Formed, region: Region): Column {
  const { arena } = region
  const { kernels } = arena
  const repr = reprOf(type)
  if (repr === 'null') return { ...makeColumn(type, rows, 0), constant: true, allNull: true }
  if (repr === 'bytes') {
    const bytes = region.alloc(kernels.spanBytes(values, rows))
    kernels.copySpans(values, rows, bytes)
    const address = region.alloc((rows + 1) * 4)
    kernels.spanLengths(values, rows, address + 4)
    const offsets = arena.i32(address, rows + 1)
    offsets[0] = 0
    for (let i = 1; i <= rows; i++) offsets[i]! += offsets[i - 1]!
    return makeColumn(type, rows, bytes, validity, address)
  }
  if (repr === formOf(type)) return makeColumn(type, rows, values, validity)
  const out = region.alloc(rows * 4)
  if (repr === 'f32') kernels.narrowF32(values, rows, out)
  else kernels.narrowI64(kindOf(repr === 'bool' ? 'u8' : repr), values, rows, validity, 0, out)
  if (repr !== 'bool') return makeColumn(type, rows, out, validity)
  const bits = region.alloc(bitmapBytes(rows))
  kernels.packBits(out, rows, bits)
  return makeColumn(type, rows, bits, validity)
}

/** A column in its form as Arrow's. */
export function dataOfForm(type: DataType, values: Formed, region: Region): Data {
  return toData(region, columnOfForm(type, values, region))
}

/** The type that is its form. */
export function typeOfForm(form: Form): DataType {
  return TYPES[form]
}

const TYPES: Readonly<Record<Form, DataType>> = {
  i64: INT64,
  u64: new Uint64(),
  f64: FLOAT64,
  i128: new Decimal(0, 38),
  bytes: BINARY,
}
