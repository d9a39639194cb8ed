import assert from 'node:assert/strict'
import type { Kernels } from '../../../src/core/kernels/kernels.ts'
import { arena } from './support.ts'

const GUARD = 64

/** A range of the arena for a kernel to work on. */
export interface Range {
  start: number
  end: number
}

/**
 * Runs a kernel over ranges of the arena that hold `inputs`, and over outputs of the sizes given, all of them
 * between guards that must not change. It runs twice, with other bytes in the guards and in the outputs: what
 * it returns and writes must not depend on them, so a read out of bounds shows, too.
 */
export function sandbox<T>(
  inputs: readonly Uint8Array[],
  outputs: readonly number[],
  run: (kernels: Kernels, inputs: Range[], outputs: Range[]) => T,
): { result: T; outputs: Uint8Array[] } {
  const first = once(inputs, outputs, run, 0xaa)
  const second = once(inputs, outputs, run, 0x55)
  assert.deepEqual(first.result, second.result, 'the result depends on bytes out of bounds')
  return first
}

function once<T>(
  inputs: readonly Uint8Array[],
  outputs: readonly number[],
  run: (kernels: Kernels, inputs: Range[], outputs: Range[]) => T,
  guard: number,
): { result: T; outputs: Uint8Array[] } {
  const region = arena.region()
  try {
    const place = (size: number): Range => {
      const start = region.alloc(size + 2 * GUARD)
      arena.u8(start, size + 2 * GUARD).fill(guard)
      return { start: start + GUARD, end: start + GUARD + size }
    }
    const ranges = inputs.map(bytes => {
      const range = place(bytes.length)
      arena.u8(range.start, bytes.length).set(bytes)
      return range
    })
    const targets = outputs.map(place)
    const result = run(arena.kernels, ranges, targets)
    for (const { start, end } of [...ranges, ...targets]) {
      for (const side of [arena.u8(start - GUARD, GUARD), arena.u8(end, GUARD)]) {
        assert.ok(
          side.every(byte => byte === guard),
          'bytes out of bounds were written',
        )
      }
    }
    for (const [index, { start, end }] of ranges.entries()) {
      assert.deepEqual(
        arena.u8(start, end - start).slice(),
        Uint8Array.from(inputs[index]!),
        'an input changed',
      )
    }
    return { result, outputs: targets.map(({ start, end }) => arena.u8(start, end - start).slice()) }
  } finally {
    region.free()
  }
}

/** Bits, least significant first, as bytes. */
export function packBits(bits: readonly (boolean | number)[]): Uint8Array {
  const bytes = new Uint8Array((bits.length + 7) >> 3)
  for (const [index, bit] of bits.entries()) if (bit) bytes[index >> 3]! |= 1 << (index & 7)
  return bytes
}

export function bitsOf(bytes: Uint8Array, from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (bytes[(from + i) >> 3]! >> ((from + i) & 7)) & 1)
}

/** The bytes of any typed array. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

/** Values of `width` bits one after the other, least significant first, padded to whole bytes. */
export function packValues(values: readonly bigint[], width: number): Uint8Array {
  const bits: number[] = []
  for (const value of values) for (let i = 0n; i < width; i++) bits.push(Number((value >> i) & 1n))
  return packBits(bits)
}

/** ULEB128. */
export function varint(value: bigint): number[] {
  const bytes: number[] = []
  while (value >= 128n) {
    bytes.push(Number(value & 127n) | 128)
    value >>= 7n
  }
  return [...bytes, Number(value)]
}

export function concat(parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap(part => [...part]))
}
