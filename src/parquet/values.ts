import { type DataType, Type } from 'apache-arrow'
import type { Region } from '../core/arena.ts'
import { SluiceError } from '../core/errors.ts'
import type { Kernels } from '../core/kernels/kernels.ts'
import { bytesDecoder, type Encoded, fixedDecoder } from './encodings/decoder.ts'
import type { Encoding, SchemaElement } from './metadata.ts'

/** How the values of a leaf lie in Arrow. */
export type Layout = FixedLayout | { kind: 'null' } | { kind: 'bits' } | { kind: 'bytes'; utf8: boolean }

/** Values of `width` bytes each. */
export interface FixedLayout {
  kind: 'fixed'
  width: number
  /** Writes the encoded values to `target` as Arrow has them. */
  decode(encoded: Encoded, encoding: Encoding, target: number, region: Region): void
}

/** Turns `count` physical values at `source` into those of Arrow at `target`; -1 if one does not fit. */
type Convert = (kernels: Kernels, source: number, count: number, target: number) => number | undefined

/** The layout of a leaf with that Arrow type. */
export function layoutOf(element: SchemaElement, type: DataType): Layout {
  if (type.typeId === Type.Null) return { kind: 'null' }
  const decimal = type.typeId === Type.Decimal ? (type as DataType & { bitWidth: number }).bitWidth / 8 : 0
  switch (element.type!) {
    case 'BOOLEAN':
      return { kind: 'bits' }
    case 'INT32': {
      const bits = type.typeId === Type.Int ? (type as DataType & { bitWidth: number }).bitWidth : 32
      if (bits === 8)
        return converting(4, 1, (k, source, count, target) => void k.narrowTo8(source, count, target))
      if (bits === 16)
        return converting(4, 2, (k, source, count, target) => void k.narrowTo16(source, count, target))
      if (decimal === 0) return plain(4)
      return converting(
        4,
        decimal,
        (k, source, count, target) => void k.widen32(source, count, decimal, target),
      )
    }
    case 'INT64':
      if (decimal === 0) return plain(8)
      return converting(
        8,
        decimal,
        (k, source, count, target) => void k.widen64(source, count, decimal, target),
      )
    case 'INT96':
      return converting(12, 8, (k, source, count, target) => void k.int96ToNanoseconds(source, count, target))
    case 'FLOAT':
      return plain(4)
    case 'DOUBLE':
      return plain(8)
    case 'BYTE_ARRAY':
      return decimal === 0 ? { kind: 'bytes', utf8: type.typeId === Type.Utf8 } : bytesDecimal(decimal)
    case 'FIXED_LEN_BYTE_ARRAY': {
      const length = element.typeLength!
      if (decimal === 0) return plain(length)
      return converting(length, decimal, (k, source, count, target) =>
        k.fixedDecimals(source, count, length, decimal, target),
      )
    }
  }
}

/** Values that Arrow has as they are. */
function plain(width: number): FixedLayout {
  return {
    kind: 'fixed',
    width,
    decode: (encoded, encoding, target, region) => fixedDecoder(encoding)(encoded, width, target, region),
  }
}

function converting(physicalWidth: number, width: number, convert: Convert): FixedLayout {
  return {
    kind: 'fixed',
    width,
    decode(encoded, encoding, target, region) {
      const { count } = encoded
      const physical = region.alloc(count * physicalWidth)
      fixedDecoder(encoding)(encoded, physicalWidth, physical, region)
      if (convert(region.arena.kernels, physical, count, target) === -1) throw tooLarge()
    },
  }
}

function bytesDecimal(width: number): FixedLayout {
  return {
    kind: 'fixed',
    width,
    decode(encoded, encoding, target, region) {
      const { data, gap, offsets } = bytesDecoder(encoding)(encoded, region)
      const { kernels } = region.arena
      if (kernels.variableDecimals(data + gap, gap, offsets, encoded.count, width, target) < 0)
        throw tooLarge()
    },
  }
}

function tooLarge(): SluiceError {
  return new SluiceError('corrupt', 'a decimal has more digits than its column allows')
}
