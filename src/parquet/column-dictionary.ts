import type { Data, DataType } from 'apache-arrow'
import type { Region } from '../core/arena.ts'
import { makeColumn } from '../core/batch.ts'
import { SluiceError } from '../core/errors.ts'
import { plainBytes } from './encodings/plain.ts'
import type { Page, PageOpener } from './pages.ts'
import type { Layout } from './values.ts'

/** A chunk's dictionary, decoded. */
export interface ColumnDictionary {
  region: Region
  entries: number
  /** Values of a fixed width, or the bytes that `offsets` cut. */
  values: number
  end: number
  /** Address of `entries` + 1 offsets; 0 for values of a fixed width. */
  offsets: number
}

/** Decodes a dictionary page; `region` is the dictionary's from here on. */
export function readDictionary(
  page: Page,
  opener: PageOpener,
  layout: Layout,
  region: Region,
): ColumnDictionary {
  const { encoding, numValues: entries, uncompressedSize } = page.header
  try {
    if (encoding !== 'PLAIN' && encoding !== 'PLAIN_DICTIONARY') {
      throw new SluiceError('unsupported', `a dictionary encoded as ${encoding} is not supported`)
    }
    // No value but an empty FIXED_LEN_BYTE_ARRAY takes less than a byte.
    if (entries > uncompressedSize && entries > 1) {
      throw new SluiceError('corrupt', `a dictionary claims ${entries} values in ${uncompressedSize} bytes`)
    }
    const start = opener.openDictionary(page, region)
    const encoded = { values: start, end: start + uncompressedSize, count: entries }
    if (layout.kind === 'fixed') {
      const bytes = entries * layout.width
      const values = region.alloc(bytes)
      layout.decode(encoded, 'PLAIN', values, region)
      return { region, entries, values, end: values + bytes, offsets: 0 }
    }
    if (layout.kind !== 'bytes') throw new SluiceError('corrupt', 'this type cannot have a dictionary')
    const { arena } = region
    const dense = plainBytes(encoded, region)
    const bytes = arena.i32(dense.offsets, entries + 1)[entries]!
    const values = region.alloc(bytes)
    const end = values + bytes
    arena.kernels.copyBytes(dense.data + dense.gap, dense.end, dense.gap, dense.offsets, entries, values, end)
    if (layout.utf8 && arena.kernels.invalidUtf8(values, dense.offsets, entries) >= 0) {
      throw new SluiceError('corrupt', 'a text of the dictionary is not UTF-8')
    }
    return { region, entries, values, end, offsets: dense.offsets }
  } catch (error) {
    region.free()
    throw error
  }
}

/** The dictionary of a chunk that has none. */
export function emptyDictionary(region: Region): ColumnDictionary {
  const offsets = region.zeroed(4)
  return { region, entries: 0, values: offsets, end: offsets, offsets }
}

/**
 * A copy of the dictionary as Arrow data in `region`: a batch outlives its reader, so each brings its own.
 */
export function dictionaryData(dictionary: ColumnDictionary, type: DataType, region: Region): Data {
  const { arena } = region
  const { entries, values, end, offsets } = dictionary
  const data = region.alloc(end - values)
  arena.kernels.copy(values, data, end - values)
  const shape = { type, length: entries, nullCount: 0, data: arena.u8(data, end - values) }
  if (offsets === 0) return makeColumn(shape)
  const own = region.alloc((entries + 1) * 4)
  arena.kernels.copy(offsets, own, (entries + 1) * 4)
  return makeColumn({ ...shape, valueOffsets: arena.i32(own, entries + 1) })
}
