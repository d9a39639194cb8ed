// What the codecs of the LZ77 family share. Their kernels stay within [source, end) and [target, targetEnd).

/**
 * Copies `length` bytes from `offset` before `target` to `target`; the ranges may overlap, which repeats the
 * last `offset` bytes. Up to 15 bytes after the copy may be overwritten, none at or after `targetEnd`.
 */
@inline
export function copyMatch(target: usize, offset: usize, length: usize, targetEnd: usize): void {
  const source = target - offset
  if (offset >= 16 && targetEnd - target >= length + 16) {
    let i: usize = 0
    while (i < length) {
      v128.store(target + i, v128.load(source + i))
      i += 16
    }
  } else if (offset >= 8 && targetEnd - target >= length + 8) {
    let i: usize = 0
    while (i < length) {
      store<u64>(target + i, load<u64>(source + i))
      i += 8
    }
  } else if (offset >= length) memory.copy(target, source, length)
  else if (offset == 1) memory.fill(target, load<u8>(source), length)
  else for (let i: usize = 0; i < length; i++) store<u8>(target + i, load<u8>(source + i))
}

/** How many bytes from `candidate` on are those from `at` on, before `end`; `candidate` is less than `at`. */
export function matchLength(candidate: usize, at: usize, end: usize): usize {
  const start = at
  while (at + 8 <= end) {
    const difference = load<u64>(candidate) ^ load<u64>(at)
    if (difference != 0) return at - start + <usize>(ctz(difference) >> 3)
    at += 8
    candidate += 8
  }
  while (at < end && load<u8>(candidate) == load<u8>(at)) {
    at++
    candidate++
  }
  return at - start
}

/** Four bytes to a number of `bits` bits: the top of their product with a large odd number. */
@inline
export function hashOf(bytes: u32, bits: u32): usize {
  return <usize>((bytes * 0x9e3779b1) >> (32 - bits))
}
