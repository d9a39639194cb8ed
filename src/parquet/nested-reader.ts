import type { Data, Field } from 'apache-arrow'
import type { Arena, Region } from '../core/arena.ts'
import { SluiceError } from '../core/errors.ts'
import { type Rows, takeColumn } from '../core/take.ts'
import { assemble } from './assemble.ts'
import type { PageCounts } from './column-reader.ts'
import type { LeafShape, Shape } from './column-shape.ts'
import { LeafReader } from './leaf-reader.ts'
import type { ColumnChunkMetadata } from './metadata.ts'

/**
 * Reads a nested column of a row group from front to back: each leaf by itself, then structs, lists and maps from
 * the leaves' levels. Values of dictionaries are looked up.
 */
export class NestedReader {
  readonly field: Field
  readonly #shape: Shape
  readonly #arena: Arena
  readonly #leaves: LeafReader[]

  /** `chunks` and `bytes` are the leaves', by their ordinal in the file. */
  constructor(
    shape: Shape,
    chunks: readonly ColumnChunkMetadata[],
    bytes: (leaf: number) => Uint8Array,
    rows: number,
    counts: PageCounts,
    arena: Arena,
  ) {
    this.field = shape.field
    this.#shape = shape
    this.#arena = arena
    this.#leaves = leavesBelow(shape, [0]).map(({ shape, levels }) => {
      const newRegion = (size: number) => arena.region(size)
      return new LeafReader(shape, levels, chunks[shape.leaf]!, bytes(shape.leaf), rows, counts, newRegion)
    })
  }

  get pageBytes(): number {
    return this.#leaves.reduce((sum, leaf) => sum + leaf.pageBytes, 0)
  }

  read(rows: number, region: Region): Data {
    const scratch = this.#arena.region()
    try {
      const leaves = this.#leaves.map(leaf => leaf.read(rows, region, scratch))
      return assemble(this.#shape, rows, leaf => leaves[leaf - this.#shape.leaf]!, region)
    } finally {
      scratch.free()
    }
  }

  take(rows: number, chosen: Rows, region: Region): Data {
    if (chosen.count === 0) {
      this.skip(rows)
      return this.read(0, region)
    }
    const whole = this.#arena.region()
    try {
      return takeColumn(this.read(rows, whole), chosen, region)
    } finally {
      whole.free()
    }
  }

  skip(rows: number): void {
    for (const leaf of this.#leaves) leaf.skip(rows)
  }

  close(): void {
    for (const leaf of this.#leaves) leaf.close()
  }
}

/** The leaves in order, each with the levels of the elements of the lists that it is in, by depth. */
function leavesBelow(shape: Shape, levels: readonly number[]): { shape: LeafShape; levels: Uint8Array }[] {
  if (shape.kind === 'leaf') return [{ shape, levels: Uint8Array.from(levels) }]
  if (shape.kind === 'list') return leavesBelow(shape.item, [...levels, shape.item.level])
  if (shape.members.length === 0) {
    throw new SluiceError('unsupported', `the group '${shape.field.name}' has no fields`)
  }
  return shape.members.flatMap(member => leavesBelow(member, levels))
}
