/**
 * From Arrow's nested columns to the levels of Parquet's leaves (Encodings.md, "Nested Encoding"), from the root
 * downwards. Between two nodes there are `count` slots: `index` (32 bits each) says which element of the node's
 * array a slot stands for, or -1 if something above is null or empty; `definition` (a byte each) is the level of
 * those slots only, since all others have the same. The indices of a node ascend.
 *
 * Nothing but these slots, a node's bitmap and its offsets is read, and at most `count` slots are written, or as
 * many as `countSlots` has said.
 */
import { bitAt, putBit } from './bits'

@inline
function indexAt(index: usize, i: i32): i32 {
  return load<i32>(index + ((<usize>i) << 2))
}

@inline
function putSlot(index: usize, definition: usize, i: i32, element: i32, level: i32): void {
  store<i32>(index + ((<usize>i) << 2), element)
  store<u8>(definition + <usize>i, <u8>level)
}

/** Ends the slots whose element is null: their level becomes `level`. Returns how many. */
export function dropNullSlots(
  index: usize,
  definition: usize,
  count: i32,
  bits: usize,
  level: i32,
  outIndex: usize,
  outDefinition: usize,
): i32 {
  let nulls = 0
  for (let i = 0; i < count; i++) {
    const element = indexAt(index, i)
    if (element < 0) putSlot(outIndex, outDefinition, i, -1, <i32>load<u8>(definition + <usize>i))
    else if (bitAt(bits, element)) putSlot(outIndex, outDefinition, i, element, level)
    else {
      putSlot(outIndex, outDefinition, i, -1, level)
      nulls++
    }
  }
  return nulls
}

/**
 * How many slots the lists become, as a 64-bit number: one an element, one for an empty list. -1 if the offsets
 * do not ascend from 0 up to `elements`.
 */
export function countSlots(index: usize, count: i32, offsets: usize, elements: i32): f64 {
  let total: i64 = 0
  let last = 0
  for (let i = 0; i < count; i++) {
    const list = indexAt(index, i)
    if (list < 0) {
      total++
      continue
    }
    const at = offsets + ((<usize>list) << 2)
    const start = load<i32>(at)
    const end = load<i32>(at, 4)
    if (start < last || end < start || end > elements) return -1
    last = end
    total += <i64>max(1, end - start)
  }
  return <f64>total
}

/**
 * Lists to their elements. An empty list's level is `level`; all elements of a list but the first repeat at
 * `depth`. `repetition` (a byte each) may be 0: then there are no lists above.
 */
export function expandSlots(
  index: usize,
  definition: usize,
  repetition: usize,
  count: i32,
  offsets: usize,
  level: i32,
  depth: i32,
  outIndex: usize,
  outDefinition: usize,
  outRepetition: usize,
): void {
  let out = 0
  for (let i = 0; i < count; i++) {
    const list = indexAt(index, i)
    store<u8>(outRepetition + <usize>out, repetition == 0 ? 0 : load<u8>(repetition + <usize>i))
    if (list < 0) {
      putSlot(outIndex, outDefinition, out++, -1, <i32>load<u8>(definition + <usize>i))
      continue
    }
    const at = offsets + ((<usize>list) << 2)
    let element = load<i32>(at)
    const end = load<i32>(at, 4)
    if (element == end) {
      putSlot(outIndex, outDefinition, out++, -1, level)
      continue
    }
    putSlot(outIndex, outDefinition, out++, element++, level)
    while (element < end) {
      store<u8>(outRepetition + <usize>out, <u8>depth)
      putSlot(outIndex, outDefinition, out++, element++, level)
    }
  }
}

/**
 * The last step, at a leaf: slots with a value get the level `level`, and their elements' bits are set in `bits`,
 * which is clear. Returns how many they are.
 */
export function finishSlots(index: usize, definition: usize, count: i32, level: i32, bits: usize): i32 {
  let values = 0
  for (let i = 0; i < count; i++) {
    const element = indexAt(index, i)
    if (element < 0) continue
    store<u8>(definition + <usize>i, <u8>level)
    putBit(bits, element, 1)
    values++
  }
  return values
}

/** The slots at which rows begin, of which there are `rows`, and `count` after the last. */
export function rowStarts(repetition: usize, count: i32, rows: i32, out: usize): void {
  let row = 0
  for (let i = 0; i < count && row < rows; i++) {
    if (load<u8>(repetition + <usize>i) != 0) continue
    store<i32>(out + ((<usize>row) << 2), i)
    row++
  }
  store<i32>(out + ((<usize>row) << 2), count)
}

/** How many of `count` levels are `level`. */
export function countLevel(levels: usize, count: i32, level: i32): i32 {
  let total = 0
  for (let i = 0; i < count; i++) total += <i32>(load<u8>(levels + <usize>i) == <u8>level)
  return total
}
