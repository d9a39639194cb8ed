import assert from 'node:assert/strict'
import { Arena } from '../../../src/core/arena.ts'
import type { Kernels } from '../../../src/core/kernels/kernels.ts'
import { bitsOf, bytesOf, concat, offsetsOf } from '../../support/bytes.ts'

const { kernels, buffer } = new Arena(64 << 20)
/** Bytes that lie before every range and after all but one, which ends where the memory does. */
const GUARD = 96

/** A range of memory for one call of a kernel. */
export class Range {
  /** What lies there; for an output and one that is changed in place, after the call. */
  bytes: Uint8Array<ArrayBuffer>
  readonly kind: 'input' | 'output' | 'in place'
  /** Where it lay when `bytes` were read. */
  address = 0
  /** Addresses within the range `of`, here relative to it, as 32 bits at every eighth byte; undefined is 0. */
  readonly spans: { of: Range; starts: readonly (number | undefined)[] } | undefined

  constructor(bytes: Uint8Array, kind: Range['kind'], spans?: Range['spans']) {
    this.bytes = Uint8Array.from(bytes)
    this.kind = kind
    this.spans = spans
  }

  /** The content as values, `count` of them or all. */
  as<T>(View: new (buffer: ArrayBuffer) => Iterable<T>, count?: number): T[] {
    return [...new View(this.bytes.buffer)].slice(0, count)
  }

  bits(from: number, count: number): number[] {
    return bitsOf(this.bytes, from, count)
  }

  /** The byte strings that the first `count` spans in this range name, all within `data`. */
  strings(count: number, data: Range): Uint8Array[] {
    const pairs = this.as(Uint32Array, 2 * count)
    return Array.from({ length: count }, (_, i) => {
      const start = pairs[2 * i]! - data.address
      const end = start + pairs[2 * i + 1]!
      assert.ok(start >= 0 && end <= data.bytes.length, `span ${i} leaves the data: ${start} to ${end}`)
      return data.bytes.slice(start, end)
    })
  }
}

/** An address within a range. */
interface Place {
  range: Range
  offset: number
}

/** What the call reads and must not change. */
export const input = (view: ArrayBufferView): Range => new Range(bytesOf(view), 'input')
/** Room for what the call writes. */
export const output = (bytes: number): Range => new Range(new Uint8Array(bytes), 'output')
/** What the call reads and writes. */
export const inPlace = (view: ArrayBufferView): Range => new Range(bytesOf(view), 'in place')
export const at = (range: Range, offset: number): Place => ({ range, offset })
export const end = (range: Range): Place => at(range, range.bytes.length)

/** Byte strings one after the other, and spans of them. */
export function spansOf(values: readonly Uint8Array[]): { spans: Range; data: Range } {
  const data = input(concat(values))
  const offsets = offsetsOf(values)
  return {
    spans: spansAt(
      data,
      [...values.keys()].map(i => [offsets[i]!, values[i]!.length]),
    ),
    data,
  }
}

/** Spans of what lies at `places` in `data`, or at address 0; with `room` for that many they may be changed. */
export function spansAt(
  data: Range,
  places: readonly (readonly [start: number, length: number] | undefined)[],
  room?: number,
): Range {
  const pairs = new Uint32Array(2 * (room ?? places.length))
  places.forEach((place, i) => {
    pairs[2 * i + 1] = place?.[1] ?? 0
  })
  const starts = places.map(place => place?.[0])
  return new Range(bytesOf(pairs), room === undefined ? 'input' : 'in place', { of: data, starts })
}

type Argument<P> = P extends number ? number | Range | Place : P
type Arguments<P extends unknown[]> = { [I in keyof P]: Argument<P[I]> }

/**
 * Calls a kernel with ranges of memory in place of addresses, and holds it to them. It is called once for each
 * range, which then ends where the memory ends, so that to read or write beyond it traps; and once more with
 * other bytes around the ranges and in the outputs. Nothing but the outputs may have changed after any call, and
 * the result and the outputs may not depend on what lies around. What the outputs hold is in them then.
 */
export function call<N extends keyof Kernels>(
  name: N,
  ...args: Arguments<Parameters<Kernels[N]>>
): ReturnType<Kernels[N]> {
  const kernel = kernels[name] as unknown as (...args: unknown[]) => ReturnType<Kernels[N]>
  const ranges = [...new Set((args as unknown[]).flatMap(rangesIn))]
  const run = (order: readonly Range[], around: number, within: number) => {
    const memory = layOut(order, around, within)
    const result = kernel(...args.map(addressed))
    return { result, written: memory.written() }
  }
  for (let last = 1; last < ranges.length; last++) {
    run([...ranges.slice(last), ...ranges.slice(0, last)], 0x33, 0x33)
  }
  const other = run(ranges, 0x00, 0x5a)
  const { result, written } = run(ranges, 0xff, 0xa5)
  assert.deepEqual(other.result, result, 'the result depends on what lies around the ranges')
  for (const [index, range] of ranges.entries()) {
    if (range.kind === 'input') continue
    const [bytes, others] = [written[index]!, other.written[index]!]
    // Bits that differ have to be ones that an output was left with.
    const depends = bytes.findIndex((byte, i) => {
      const differs = byte ^ others[i]!
      return range.kind === 'output' ? (differs & (byte ^ 0xa5)) !== 0 : differs !== 0
    })
    assert.equal(depends, -1, `an output depends, at byte ${depends}, on what lies around the ranges`)
    range.bytes = bytes
  }
  return result
}

/**
 * Puts ranges into the memory, the last one at its very end. `around` fills what lies between them, `within` the
 * outputs. `written` reads the ranges, and fails if anything but outputs has changed.
 */
function layOut(
  ranges: readonly Range[],
  around: number,
  within: number,
): { written(): Uint8Array<ArrayBuffer>[] } {
  let start = buffer.byteLength
  for (const [index, range] of [...ranges].reverse().entries()) {
    start -= range.bytes.length + (index === 0 ? 0 : GUARD)
    range.address = start
  }
  start -= GUARD
  assert.ok(start >= 2 ** 20, 'the ranges are larger than the memory')
  const memory = new Uint8Array(buffer, start)
  const before = Buffer.alloc(memory.length, around)
  for (const range of ranges) {
    const { address, bytes, kind, spans } = range
    if (kind === 'output') before.fill(within, address - start, address - start + bytes.length)
    else before.set(bytes, address - start)
    spans?.starts.forEach((at, i) => {
      if (at !== undefined) before.writeUInt32LE(spans.of.address + at, address - start + 8 * i)
    })
  }
  memory.set(before)
  return {
    written() {
      const after = Buffer.from(memory)
      const written = ranges.map(({ address, bytes, kind }) => {
        const from = address - start
        const range = after.subarray(from, from + bytes.length)
        if (kind === 'input') return bytes
        before.set(range, from)
        return Uint8Array.from(range)
      })
      if (!after.equals(before)) {
        const where = start + after.findIndex((byte, i) => byte !== before[i])
        const places = ranges.map(({ address, bytes }) => `[${address}, ${address + bytes.length})`)
        assert.fail(`byte ${where} was written, which is none of an output: ranges ${places.join(' ')}`)
      }
      return written
    },
  }
}

function rangesIn(arg: unknown): Range[] {
  const range = arg instanceof Range ? arg : (arg as Place | null)?.range
  if (range === undefined) return []
  return range.spans ? [range.spans.of, range] : [range]
}

function addressed(arg: unknown): unknown {
  if (arg instanceof Range) return arg.address
  if (typeof arg === 'object' && arg !== null) return (arg as Place).range.address + (arg as Place).offset
  return arg
}
