import { DataType } from 'apache-arrow'
import type { Region } from '../core/arena.ts'
import { SluiceError } from '../core/errors.ts'
import type { Kernels } from '../core/kernels/kernels.ts'
import { bytesDecoder, fixedDecoder } from './encodings/decoder.ts'
import type { Encoded } from './encodings/encoded.ts'
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

/** Turns physical values into those of Arrow; false if one does not fit. */
type Convert = (kernels: Kernels, source: number, count: number, target: number) => boolean

/** The layout of a leaf with that Arrow type. */
export function layoutOf(element: SchemaElement, type: DataType): Layout {
  if (DataType.isNull(type)) return { kind: 'null' }
  const decimal = DataType.isDecimal(type) ? type.bitWidth / 8 : 0
  switch (element.type!) {
    case 'BOOLEAN':
      return { kind: 'bits' }
    case 'INT32':
      if (decimal > 0) return converting(element, 4, decimal, widen32(decimal))
      if (DataType.isInt(type) && type.bitWidth === 8) return converting(element, 4, 1, narrowTo8)
      if (DataType.isInt(type) && type.bitWidth === 16) return converting(element, 4, 2, narrowTo16)
      return plain(element, 4)
    case 'INT64':
      return decimal > 0 ? converting(element, 8, decimal, widen64(decimal)) : plain(element, 8)
    case 'INT96':
      return converting(element, 12, 8, int96)
    case 'FLOAT':
      return plain(element, 4)
    case 'DOUBLE':
      return plain(element, 8)
    case 'BYTE_ARRAY':
      return decimal > 0 ? bytesDecimal(decimal) : { kind: 'bytes', utf8: DataType.isUtf8(type) }
    case 'FIXED_LEN_BYTE_ARRAY': {
      const length = element.typeLength!
      return decimal > 0
        ? converting(element, length, decimal, fixedDecimals(length, decimal))
        : plain(element, length)
    }
  }
}

const narrowTo8: Convert = (kernels, source, count, target) => {
  kernels.narrowTo8(source, count, target)
  return true
}

const narrowTo16: Convert = (kernels, source, count, target) => {
  kernels.narrowTo16(source, count, target)
  return true
}

const int96: Convert = (kernels, source, count, target) => {
  kernels.int96ToNanoseconds(source, count, target)
  return true
}

function widen32(width: number): Convert {
  return (kernels, source, count, target) => {
    kernels.widen32(source, count, width, target)
    return true
  }
}

function widen64(width: number): Convert {
  return (kernels, source, count, target) => {
    kernels.widen64(source, count, width, target)
    return true
  }
}

function fixedDecimals(length: number, width: number): Convert {
  return (kernels, source, count, target) => kernels.fixedDecimals(source, count, length, width, target) === 0
}

/** Values that Arrow has as they are. */
function plain(element: SchemaElement, width: number): FixedLayout {
  return {
    kind: 'fixed',
    width,
    decode: (encoded, encoding, target, region) =>
      fixedDecoder(element.type!, encoding)(encoded, width, target, region),
  }
}

function converting(
  element: SchemaElement,
  physicalWidth: number,
  width: number,
  convert: Convert,
): FixedLayout {
  return {
    kind: 'fixed',
    width,
    decode(encoded, encoding, target, region) {
      const { count } = encoded
      const physical = region.alloc(count * physicalWidth)
      fixedDecoder(element.type!, encoding)(encoded, physicalWidth, physical, region)
      if (!convert(region.arena.kernels, physical, count, target)) throw tooLarge()
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
