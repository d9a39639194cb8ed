import { type Data, DataType, type FixedSizeList } from 'apache-arrow'
import type { Region } from '../core/arena.ts'
import { SluiceError } from '../core/errors.ts'
import { addressOf } from './column-source.ts'

/**
 * The lists of several pieces as one: offsets of all of them in the arena, which count in the elements of all
 * pieces. They are not checked to ascend.
 */
export function joinLists(region: Region, pieces: readonly Data[]): { offsets: number; elements: Data[] } {
  const { arena } = region
  const lists = pieces.reduce((sum, piece) => sum + piece.length, 0)
  const offsets = region.zeroed(4 * (lists + 1))
  const elements: Data[] = []
  let list = 0
  let base = 0
  for (const piece of pieces) {
    const { length } = piece
    if (length === 0) continue
    const part = DataType.isFixedSizeList(piece.type) ? fixedLists(region, piece) : ownLists(region, piece)
    arena.kernels.shiftOffsets(part.offsets, length + 1, base - part.first, offsets + 4 * list)
    elements.push(part.elements)
    list += length
    base += part.elements.length
    if (base > MAX_ELEMENTS) {
      throw new SluiceError('unsupported', `lists of ${base} elements in a row group are too many`, {
        hint: 'Write smaller row groups.',
      })
    }
  }
  return { offsets, elements }
}

const MAX_ELEMENTS = 2 ** 31 - 1

/** The lists of one piece: their offsets in the arena, the first of them, and the elements from it on. */
interface Lists {
  offsets: number
  first: number
  elements: Data
}

function ownLists(region: Region, { valueOffsets, length, children }: Data): Lists {
  const offsets = addressOf(region, valueOffsets, 4 * (length + 1))
  const [first, last] = [valueOffsets[0]!, valueOffsets[length]!]
  return { offsets, first, elements: part(children[0], first, last) }
}

function fixedLists(region: Region, { type, length, children }: Data): Lists {
  const size = (type as FixedSizeList).listSize
  const offsets = region.alloc(4 * (length + 1))
  const view = region.arena.i32(offsets, length + 1)
  for (let i = 0; i <= length; i++) view[i] = i * size
  return { offsets, first: 0, elements: part(children[0], 0, length * size) }
}

function part(elements: Data | undefined, first: number, last: number): Data {
  const length = elements?.length ?? 0
  if (elements === undefined || !(first >= 0 && first <= last && last <= length)) {
    throw new SluiceError('schema', `lists name the elements ${first} to ${last} of ${length}`)
  }
  return last - first === length ? elements : elements.slice(first, last - first)
}
