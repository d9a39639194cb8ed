/**
 * What a conversion does with a value of row `i` that the target cannot hold: true says stop. A null's garbage
 * is passed over, and with `drop` the value becomes null.
 */
@inline
export function lost(valid: usize, i: i32, drop: i32): bool {
  if (valid == 0) return true
  const at = valid + ((<usize>i) >> 3)
  const bit: u32 = 1 << (i & 7)
  const byte: u32 = load<u8>(at)
  if ((byte & bit) == 0) return false
  if (!drop) return true
  store<u8>(at, byte & ~bit)
  return false
}
