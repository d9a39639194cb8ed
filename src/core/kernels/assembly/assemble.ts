/**
 * From the levels of Parquet's leaves (a byte each) to Arrow's nested columns (Encodings.md, "Nested Encoding").
 * Of an array, an element begins at every slot whose repetition level is at most its `depth`, the number of lists
 * around it, and whose definition level is at least its `level`, from which on those lists are not empty.
 *
 * Nothing but the `count` levels is read, and never more elements are written than there is said to be room for.
 */
import { putBit } from './bits'

@inline
function levelAt(levels: usize, i: i32): i32 {
  return <i32>load<u8>(levels + <usize>i)
}

/**
 * The first slot that cannot be: it goes on with a list that it or the slot before has no element of. `levels` has
 * the level of a list's elements by depth (a byte each, the first unused), `before` the definition level of the
 * slot before the first; -1: there is none, and nothing to go on with. -1 if all of them can be.
 */
export function brokenSlot(repetition: usize, definition: usize, count: i32, levels: usize, before: i32): i32 {
  for (let i = 0; i < count; i++) {
    const depth = levelAt(repetition, i)
    const level = levelAt(definition, i)
    if (depth > 0) {
      const needed = levelAt(levels, depth)
      if (level < needed || before < needed) return i
    }
    before = level
  }
  return -1
}

/**
 * Passes slots from slot `from` on until `rows` rows have begun and a further one would. Writes where it stopped
 * (`count` if there are no more) and how many rows have begun, 32 bits each.
 */
export function passRows(repetition: usize, from: i32, count: i32, rows: i32, out: usize): void {
  let begun = 0
  let i = from
  while (i < count) {
    if (levelAt(repetition, i) == 0) {
      if (begun == rows) break
      begun++
    }
    i++
  }
  store<i32>(out, i)
  store<i32>(out, begun, 4)
}

/** How many of `count` levels are at least `level`. */
export function countAtLeast(levels: usize, count: i32, level: i32): i32 {
  let total = 0
  for (let i = 0; i < count; i++) total += <i32>(levelAt(levels, i) >= level)
  return total
}

/**
 * Validity of the innermost array's elements, as bits from bit 0 on: whether they reach level `present`. There is
 * room for `count`; returns how many elements there are.
 */
export function leafBits(definition: usize, count: i32, level: i32, present: i32, bits: usize): i32 {
  let elements = 0
  for (let i = 0; i < count; i++) {
    const own = levelAt(definition, i)
    if (own < level) continue
    putBit(bits, elements, <i32>(own >= present))
    elements++
  }
  return elements
}

/** The same for any array, with room for `room` elements; -1 if there are more. */
export function nodeBits(
  repetition: usize,
  definition: usize,
  count: i32,
  depth: i32,
  level: i32,
  present: i32,
  room: i32,
  bits: usize,
): i32 {
  let elements = 0
  for (let i = 0; i < count; i++) {
    const own = levelAt(definition, i)
    if (own < level || levelAt(repetition, i) > depth) continue
    if (elements == room) return -1
    putBit(bits, elements, <i32>(own >= present))
    elements++
  }
  return elements
}

/**
 * Offsets of an array of lists, one more than elements, with room for `room` elements; their own elements begin at
 * level `inner`. Returns how many lists there are, or -1 if there are more.
 */
export function listOffsets(
  repetition: usize,
  definition: usize,
  count: i32,
  depth: i32,
  level: i32,
  inner: i32,
  room: i32,
  offsets: usize,
): i32 {
  let lists = 0
  let elements = 0
  for (let i = 0; i < count; i++) {
    const repeated = levelAt(repetition, i)
    const own = levelAt(definition, i)
    if (own >= level && repeated <= depth) {
      if (lists == room) return -1
      store<i32>(offsets + ((<usize>lists) << 2), elements)
      lists++
    }
    elements += <i32>(own >= inner && repeated <= depth + 1)
  }
  store<i32>(offsets + ((<usize>lists) << 2), elements)
  return lists
}
