// BYTE_STREAM_SPLIT (Encodings.md, "Byte Stream Split: (BYTE_STREAM_SPLIT = 9)"): byte b of value i lies at
// b * count + i. A call reads and writes `width` * `count` bytes, in ranges that do not overlap.

/** Joins `width` streams of `count` bytes at `source` to `count` values at `target`. */
export function joinStreams(source: usize, count: i32, width: i32, target: usize): void {
  let done = 0
  if (width == 4) done = join4(source, <usize>count, target)
  else if (width == 8) done = join8(source, <usize>count, target)
  for (let byte = 0; byte < width; byte++) {
    const stream = source + (<usize>byte) * (<usize>count)
    let address = target + (<usize>byte) + (<usize>done) * (<usize>width)
    for (let i = done; i < count; i++) {
      store<u8>(address, load<u8>(stream + <usize>i))
      address += <usize>width
    }
  }
}

@inline
function lowBytes(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
}

@inline
function highBytes(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
}

@inline
function lowPairs(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
}

@inline
function highPairs(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
}

/** Sixteen values at a time by interleaving bytes, then pairs of bytes; returns how many it did. */
function join4(source: usize, count: usize, target: usize): i32 {
  let i: usize = 0
  while (i + 16 <= count) {
    const a = v128.load(source + i)
    const b = v128.load(source + count + i)
    const c = v128.load(source + 2 * count + i)
    const d = v128.load(source + 3 * count + i)
    const lowAB = lowBytes(a, b)
    const highAB = highBytes(a, b)
    const lowCD = lowBytes(c, d)
    const highCD = highBytes(c, d)
    const out = target + (i << 2)
    v128.store(out, lowPairs(lowAB, lowCD))
    v128.store(out, highPairs(lowAB, lowCD), 16)
    v128.store(out, lowPairs(highAB, highCD), 32)
    v128.store(out, highPairs(highAB, highCD), 48)
    i += 16
  }
  return <i32>i
}

/** The same for eight streams, whose halves are joined by fours in the end. */
function join8(source: usize, count: usize, target: usize): i32 {
  let i: usize = 0
  while (i + 16 <= count) {
    const at = source + i
    const a = v128.load(at)
    const b = v128.load(at + count)
    const c = v128.load(at + 2 * count)
    const d = v128.load(at + 3 * count)
    const e = v128.load(at + 4 * count)
    const f = v128.load(at + 5 * count)
    const g = v128.load(at + 6 * count)
    const h = v128.load(at + 7 * count)
    const out = target + (i << 3)
    const lowAB = lowBytes(a, b)
    const lowCD = lowBytes(c, d)
    const lowEF = lowBytes(e, f)
    const lowGH = lowBytes(g, h)
    storeHalves(out, lowPairs(lowAB, lowCD), lowPairs(lowEF, lowGH))
    storeHalves(out + 32, highPairs(lowAB, lowCD), highPairs(lowEF, lowGH))
    const highAB = highBytes(a, b)
    const highCD = highBytes(c, d)
    const highEF = highBytes(e, f)
    const highGH = highBytes(g, h)
    storeHalves(out + 64, lowPairs(highAB, highCD), lowPairs(highEF, highGH))
    storeHalves(out + 96, highPairs(highAB, highCD), highPairs(highEF, highGH))
    i += 16
  }
  return <i32>i
}

/** Four values from their lower and their upper four bytes. */
@inline
function storeHalves(target: usize, lower: v128, upper: v128): void {
  v128.store(target, i32x4.shuffle(lower, upper, 0, 4, 1, 5))
  v128.store(target, i32x4.shuffle(lower, upper, 2, 6, 3, 7), 16)
}
