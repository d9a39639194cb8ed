// Bitmaps, least significant bit first. Kernels read and write ceil(n / 8) bytes of each; what lies past `n` in
// the last byte is unspecified. A validity of 0 stands for "no nulls".

@inline
function word(bitmap: usize, at: usize): u64 {
  return bitmap == 0 ? ~(<u64>0) : load<u64>(bitmap + at)
}

@inline
function octet(bitmap: usize, at: usize): u32 {
  return bitmap == 0 ? 255 : load<u8>(bitmap + at)
}

/** AND of SQL: false if either is false, else null if either is null. */
export function andKleene(a: usize, aValid: usize, b: usize, bValid: usize, n: i32, out: usize, outValid: usize): void {
  const bytes = (<usize>n + 7) >> 3
  let at: usize = 0
  while (at + 8 <= bytes) {
    const av = word(aValid, at)
    const bv = word(bValid, at)
    const x = load<u64>(a + at)
    const y = load<u64>(b + at)
    const yes = x & av & y & bv
    store<u64>(out + at, yes)
    store<u64>(outValid + at, yes | (~x & av) | (~y & bv))
    at += 8
  }
  while (at < bytes) {
    const av = octet(aValid, at)
    const bv = octet(bValid, at)
    const x: u32 = load<u8>(a + at)
    const y: u32 = load<u8>(b + at)
    const yes = x & av & y & bv
    store<u8>(out + at, yes)
    store<u8>(outValid + at, yes | (~x & av) | (~y & bv))
    at++
  }
}

/** OR of SQL: true if either is true, else null if either is null. */
export function orKleene(a: usize, aValid: usize, b: usize, bValid: usize, n: i32, out: usize, outValid: usize): void {
  const bytes = (<usize>n + 7) >> 3
  let at: usize = 0
  while (at + 8 <= bytes) {
    const av = word(aValid, at)
    const bv = word(bValid, at)
    const x = load<u64>(a + at)
    const y = load<u64>(b + at)
    const yes = (x & av) | (y & bv)
    store<u64>(out + at, yes)
    store<u64>(outValid + at, yes | (~x & av & ~y & bv))
    at += 8
  }
  while (at < bytes) {
    const av = octet(aValid, at)
    const bv = octet(bValid, at)
    const x: u32 = load<u8>(a + at)
    const y: u32 = load<u8>(b + at)
    const yes = (x & av) | (y & bv)
    store<u8>(out + at, yes)
    store<u8>(outValid + at, yes | (~x & av & ~y & bv))
    at++
  }
}

export function andBits(a: usize, b: usize, n: i32, out: usize): void {
  const bytes = (<usize>n + 7) >> 3
  let at: usize = 0
  while (at + 8 <= bytes) {
    store<u64>(out + at, load<u64>(a + at) & load<u64>(b + at))
    at += 8
  }
  while (at < bytes) {
    store<u8>(out + at, load<u8>(a + at) & load<u8>(b + at))
    at++
  }
}

/** `~a`, or `a ^ b` flipped where there is a `b`: the bits in which they are equal. */
export function notXorBits(a: usize, b: usize, n: i32, out: usize): void {
  const bytes = (<usize>n + 7) >> 3
  let at: usize = 0
  while (at < bytes) {
    store<u8>(out + at, ~(load<u8>(a + at) ^ (b == 0 ? 0 : load<u8>(b + at))))
    at++
  }
}

/** `(mask & a) | (~mask & b)`. */
export function pickBits(mask: usize, a: usize, b: usize, n: i32, out: usize): void {
  const bytes = (<usize>n + 7) >> 3
  let at: usize = 0
  while (at < bytes) {
    const m: u32 = octet(mask, at)
    store<u8>(out + at, (m & octet(a, at)) | (~m & octet(b, at)))
    at++
  }
}

/** The places, as int32, of the bits set both in `bits` and in `valid`; how many there are. */
export function indicesOf(bits: usize, valid: usize, n: i32, out: usize): i32 {
  const start = out
  const words = n >> 6
  for (let w = 0; w < words; w++) {
    const at = (<usize>w) << 3
    let set = load<u64>(bits + at) & word(valid, at)
    const base = w << 6
    if (set == ~(<u64>0)) {
      for (let k = 0; k < 64; k++) store<i32>(out + ((<usize>k) << 2), base + k)
      out += 256
    } else {
      while (set != 0) {
        store<i32>(out, base + <i32>ctz(set))
        out += 4
        set &= set - 1
      }
    }
  }
  for (let i = words << 6; i < n; i++) {
    const at = (<usize>i) >> 3
    if (((<u32>load<u8>(bits + at) & octet(valid, at)) >> (i & 7)) & 1) {
      store<i32>(out, i)
      out += 4
    }
  }
  return <i32>((out - start) >> 2)
}
