import { readFileSync } from 'node:fs'
import type { AggregateKernels } from './aggregate.ts'
import type { ArithmeticKernels } from './arithmetic.ts'
import type { AssembleKernels } from './assemble.ts'
import type { BitKernels } from './bits.ts'
import type { BloomKernels } from './bloom.ts'
import type { BooleanKernels } from './boolean.ts'
import type { BoundsKernels } from './bounds.ts'
import type { ByteKernels } from './bytes.ts'
import type { ChosenKernels } from './chosen.ts'
import type { CodeKernels } from './codes.ts'
import type { CompactKernels } from './compact.ts'
import type { CompareKernels } from './compare.ts'
import type { ConvertKernels } from './convert.ts'
import type { DecimalKernels } from './decimal.ts'
import type { DeltaKernels } from './delta.ts'
import type { DictionaryKernels } from './dictionary.ts'
import type { EncodeKernels } from './encode.ts'
import type { LzKernels } from './lz.ts'
import type { NumberTextKernels } from './number-text.ts'
import type { NumberKernels } from './numbers.ts'
import type { RleKernels } from './rle.ts'
import type { ShredKernels } from './shred.ts'
import type { SpanKernels } from './spans.ts'
import type { SpreadKernels } from './spread.ts'
import type { StreamKernels } from './streams.ts'
import type { TakeKernels } from './take.ts'
import type { TemporalKernels } from './temporal.ts'
import type { TextKernels } from './text.ts'

/**
 * The kernels, compiled from `assembly/` (one file a subject, typed by the file of the same name beside this
 * one). Every argument that names memory is a byte address in the arena that the kernels were made for.
 */
export type Kernels = TakeKernels &
  BitKernels &
  TextKernels &
  TemporalKernels &
  NumberKernels &
  NumberTextKernels &
  CompareKernels &
  ChosenKernels &
  CodeKernels &
  BloomKernels &
  BooleanKernels &
  AggregateKernels &
  ArithmeticKernels &
  AssembleKernels &
  BoundsKernels &
  ByteKernels &
  CompactKernels &
  ConvertKernels &
  DecimalKernels &
  DeltaKernels &
  DictionaryKernels &
  EncodeKernels &
  LzKernels &
  RleKernels &
  ShredKernels &
  SpanKernels &
  SpreadKernels &
  StreamKernels

let compiled: WebAssembly.Module | undefined

/** Binds the kernels to a memory. Compiling happens once a thread. */
export function instantiateKernels(memory: WebAssembly.Memory): Kernels {
  compiled ??= new WebAssembly.Module(readFileSync(new URL('./kernels.wasm', import.meta.url)))
  return new WebAssembly.Instance(compiled, { env: { memory } }).exports as unknown as Kernels
}
