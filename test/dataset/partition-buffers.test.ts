import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  Dictionary,
  Field,
  Float64,
  Int32,
  makeData,
  type RecordBatch,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import fc from 'fast-check'
import { Arena, type Region } from '../../src/core/arena.ts'
import { makeBatch } from '../../src/core/batch.ts'
import { takeBatch } from '../../src/core/take.ts'
import { PartitionBuffers, type TakenRows } from '../../src/dataset/partition-buffers.ts'
import { cases } from '../support/cases.ts'

const SIZE = { rows: 50_000, bytes: 2 ** 30 }
const text = new Dictionary(new Utf8(), new Int32())
const fields = [
  new Field('key', new Int32(), false),
  new Field('row', new Float64(), true),
  new Field('name', text, true),
  new Field('note', new Utf8(), true),
]

interface Row {
  row: number | null
  name: string | null
  note: string | null
}

function rowOf(id: number): Row {
  return {
    row: id % 13 === 5 ? null : id,
    name: id % 7 === 3 ? null : `name ${(id % 40) + (id >> 7)}`,
    note: id % 11 === 1 ? null : 'x'.repeat(id % 5),
  }
}

/** Rows with the given keys in the arena, numbered from `first` on; its dictionary lies in `scratch`. */
function batchIn(region: Region, scratch: Region, keys: readonly number[], first: number): RecordBatch {
  const rows = keys.map((_, i) => rowOf(first + i))
  const columns = [
    makeData({ type: new Int32(), data: Int32Array.from(keys) }),
    vectorFromArray(
      rows.map(({ row }) => row),
      new Float64(),
    ).data[0]!,
    vectorFromArray(
      rows.map(({ name }) => name),
      text,
    ).data[0]!,
    vectorFromArray(
      rows.map(({ note }) => note),
      new Utf8(),
    ).data[0]!,
  ]
  const count = keys.length
  const all = scratch.alloc(count * 4)
  const numbers = scratch.arena.i32(all, count)
  for (let i = 0; i < count; i++) numbers[i] = i
  return takeBatch(makeBatch(fields, columns, count), { count, indices: all }, region)
}

function rowsOf({ rows }: TakenRows): Row[] {
  return rows.flatMap(({ batch: whole, start, end }) => {
    const batch = whole.slice(start, end)
    const [row, name, note] = ['row', 'name', 'note'].map(column => [...batch.getChild(column)!])
    return row!.map((value, i) => ({ row: value, name: name![i], note: note![i] }))
  })
}

/** A lane in small: what it takes, when it takes it, and the most memory that it held. */
class Harness {
  readonly arena = new Arena(2 ** 20)
  readonly buffers = new PartitionBuffers(this.arena, ['key'], SIZE, 10_000)
  readonly expected = new Map<string, Row[]>()
  readonly found = new Map<string, Row[]>()
  readonly groups: { path: string; rows: number; early: boolean }[] = []
  most = 0
  #rows = 0

  add(keys: readonly number[], kind: 'own' | 'shared' | 'borrowed'): void {
    const scratch = this.arena.region()
    const region = kind === 'shared' ? scratch : this.arena.region(4096)
    const batch = batchIn(region, scratch, keys, this.#rows)
    keys.forEach((key, i) => {
      const path = `key=${key}/`
      this.expected.set(path, this.expected.get(path) ?? [])
      this.expected.get(path)!.push(rowOf(this.#rows + i))
    })
    this.#rows += keys.length
    const full = this.buffers.add(batch, kind === 'borrowed' ? undefined : region, scratch)
    if (kind === 'borrowed') {
      // What lies there next.
      for (const { values } of batch.data.children)
        new Uint8Array(values.buffer, values.byteOffset).fill(0xee, 0, values.byteLength)
      region.free()
    }
    for (const path of full) this.take(path, false, false)
    for (const path of this.buffers.quiet()) this.take(path, true, true)
    this.buffers.compact()
    this.most = Math.max(this.most, this.arena.used)
  }

  take(path: string, rest: boolean, early: boolean): void {
    for (let taken = this.buffers.take(path, rest); taken; taken = this.buffers.take(path, rest)) {
      const rows = rowsOf(taken)
      assert.equal(rows.length, taken.count)
      if (!this.found.has(path)) this.found.set(path, [])
      this.found.get(path)!.push(...rows)
      this.groups.push({ path, rows: taken.count, early })
      taken.release()
    }
  }

  finish(): void {
    for (const { path } of this.buffers.partitions()) this.take(path, true, false)
    assert.deepEqual(this.found, this.expected)
    assert.equal(this.arena.used, 0)
  }
}

describe('partition buffers', () => {
  const keysOf = fc.oneof(
    fc.array(fc.nat(5), { maxLength: 300 }),
    fc
      .array(fc.tuple(fc.nat(9), fc.nat(900)), { maxLength: 12 })
      .map(runs => runs.flatMap(([key, length]) => new Array<number>(length).fill(key))),
  )
  const added = fc.tuple(keysOf, fc.constantFrom('own' as const, 'shared' as const, 'borrowed' as const))
  const taken = fc.oneof(fc.constant('oldest' as const), fc.nat(9))

  test('give back every row once, in order, and all memory', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof({ arbitrary: added, weight: 3 }, taken), { maxLength: 12 }), steps => {
        const harness = new Harness()
        for (const step of steps) {
          if (step === 'oldest') for (const path of harness.buffers.oldest()) harness.take(path, true, false)
          else if (typeof step === 'number') harness.take(`key=${step}/`, true, false)
          else harness.add(...step)
        }
        harness.finish()
      }),
      { numRuns: cases(60) },
    )
  })

  test('let partitions of sorted data go, whole, and need memory for a few blocks only', () => {
    const harness = new Harness()
    let once = 0
    for (let block = 0; block < 16; block++) {
      // Five thousand rows a key, so that most blocks end within one.
      const keys = Array.from({ length: 7000 }, (_, i) => Math.floor((block * 7000 + i) / 5000))
      harness.add(keys, 'own')
      if (block === 0) once = harness.most
    }
    assert.ok(harness.most < 5 * once, `${harness.most} bytes at once, a block has ${once}`)
    const early = harness.groups.filter(group => group.early)
    assert.ok(early.length > 15)
    for (const { path, rows } of early) assert.equal(rows, 5000, path)
    harness.finish()
  })

  test('hold scattered rows back, however seldom a key comes', () => {
    const harness = new Harness()
    let seed = 1
    const random = () => (seed = Math.imul(seed, 0x5bd1e995) ^ (seed >>> 13)) >>> 8
    for (let block = 0; block < 50; block++) {
      harness.add(
        Array.from({ length: 1000 }, () => random() % 10),
        'own',
      )
    }
    assert.deepEqual(harness.groups, [])
    harness.finish()
  })

  test('copy small remains out of large blocks', () => {
    const harness = new Harness()
    for (let key = 0; key < 12; key++) {
      harness.add([...new Array<number>(5000).fill(key), ...new Array<number>(20).fill(1000 + key)], 'own')
    }
    for (let key = 0; key < 12; key++) harness.take(`key=${key}/`, true, false)
    harness.buffers.compact()
    const waiting = harness.buffers.partitions()
    assert.equal(waiting.length, 12)
    assert.ok(harness.arena.used < 12 * 20 * 500, `${harness.arena.used} bytes for ${12 * 20} rows`)
    harness.finish()
  })
})
