import type { Data, DataType, RecordBatch } from 'apache-arrow'
import type { Region } from '../arena.ts'
import { columnOf } from '../batch.ts'
import { isSluiceError, SluiceError } from '../errors.ts'
import { arithmetic } from './arithmetic.ts'
import type { BoundExpr, BoundNode } from './bound.ts'
import { pick } from './choose.ts'
import {
  bitmapBytes,
  type Coded,
  type Column,
  constantColumn,
  isCoded,
  loadColumn,
  makeColumn,
  toData,
} from './column.ts'
import { compare, isIn, settle } from './compare.ts'
import { convert } from './convert.ts'
import { datePart, formatTimes, truncate } from './dates.ts'
import { lookUp } from './operands.ts'
import { changeCase, concat, countCharacters, like, substring } from './text.ts'
import { parseText, renderText } from './textual.ts'
import { BOOL, sameType } from './types.ts'

/** The rows chosen of a batch, ascending. With `count` equal to the batch's rows there are no `indices` (0). */
export interface Selection {
  count: number
  /** Address of `count` int32. */
  indices: number
}

/**
 * The expression's value for every row, in `region`, where intermediate results go as well. Where only one
 * column is used and that is dictionary-encoded, it is computed once a dictionary value and comes as a
 * dictionary of its own, in which values may repeat.
 */
export function evaluate(bound: BoundExpr, batch: RecordBatch, region: Region): Data {
  if (bound.root.op === 'column') {
    const data = need(batch, bound.root.name)
    if (sameType(data.type, bound.type) || isSameDictionary(data, bound)) return data
  }
  const frame = new Frame(region, batch.numRows, name => loadColumn(region, need(batch, name), name))
  const result = frame.result(bound.root)
  if (isCoded(result) || !result.constant) return toData(region, result)
  return toData(region, {
    codes: region.zeroed(batch.numRows * 4),
    rows: batch.numRows,
    dictionary: spread(region, { ...result, rows: 1 }),
  })
}

/** The rows for which the predicate is true: neither false nor null. */
export function select(bound: BoundExpr, batch: RecordBatch, region: Region): Selection {
  const rows = batch.numRows
  const { arena } = region
  const scratch = arena.region()
  try {
    const frame = new Frame(scratch, rows, name => loadColumn(scratch, need(batch, name), name))
    const result = frame.result(bound.root)
    if (isCoded(result)) {
      const { dictionary, codes } = result
      const flags = scratch.alloc(dictionary.rows)
      arena.kernels.unpackBits(trueBits(scratch, dictionary), 0, dictionary.rows, flags)
      const count = arena.kernels.countCodes(codes, rows, flags)
      if (count === rows || count === 0) return { count, indices: 0 }
      const indices = region.alloc(rows * 4 + 4)
      arena.kernels.selectCodes(codes, rows, flags, indices)
      return { count, indices }
    }
    if (result.allNull) return { count: 0, indices: 0 }
    if (result.constant) return { count: arena.u8(result.values, 1)[0] === 0 ? 0 : rows, indices: 0 }
    const count = arena.kernels.popcount(trueBits(scratch, result), rows)
    if (count === rows || count === 0) return { count, indices: 0 }
    const indices = region.alloc(count * 4)
    arena.kernels.indicesOf(result.values, result.validity, rows, indices)
    return { count, indices }
  } finally {
    scratch.free()
  }
}

/** Computes nodes over one set of rows, loading each column once. */
class Frame {
  readonly region: Region
  readonly rows: number
  readonly #load: (name: string) => Column | Coded
  readonly #columns = new Map<string, Column | Coded>()
  /** The same, row by row, as far as needed. */
  readonly #plain = new Map<string, Column>()

  constructor(region: Region, rows: number, load: (name: string) => Column | Coded) {
    this.region = region
    this.rows = rows
    this.#load = load
  }

  /** The value of a node, by dictionary where that is how it was computed. */
  result(node: BoundNode): Column | Coded {
    if (node.op === 'column') return this.#column(node.name)
    if (node.op === 'literal') return constantColumn(this.region, node.type, node.value, this.rows)
    if (node.columns.length === 0) return this.#constant(node)
    if (node.columns.length === 1) {
      const name = node.columns[0]!
      const source = this.#column(name)
      if (isCoded(source) && source.dictionary.rows <= this.rows) {
        const { dictionary } = source
        const frame = new Frame(this.region, dictionary.rows, () => dictionary)
        try {
          return { ...source, dictionary: spread(this.region, frame.plain(node)) }
        } catch (error) {
          // Perhaps it was a value that no row has: the rows themselves will tell.
          if (!isSluiceError(error) || error.code === 'budget') throw error
        }
      }
    }
    // Kernels take a constant where a constant is written, and a null anywhere; else they count on a value a row.
    const column = this.#compute(node)
    return column.allNull ? column : spread(this.region, column)
  }

  /** The value of a node, row by row. */
  plain(node: BoundNode): Column {
    if (node.op === 'column') return this.#plainColumn(node.name)
    const result = this.result(node)
    return isCoded(result) ? lookUp(this.region, result) : result
  }

  #plainColumn(name: string): Column {
    const column = this.#plain.get(name) ?? this.#column(name)
    const plain = isCoded(column) ? lookUp(this.region, column) : column
    this.#plain.set(name, plain)
    return plain
  }

  #column(name: string): Column | Coded {
    let column = this.#columns.get(name)
    if (column === undefined) {
      column = this.#load(name)
      this.#columns.set(name, column)
    }
    return column
  }

  /** A node without columns, computed once. */
  #constant(node: BoundNode): Column {
    const one = spread(this.region, new Frame(this.region, 1, this.#load).#compute(node))
    const isNull = one.validity !== 0 && (this.region.arena.u8(one.validity, 1)[0]! & 1) === 0
    if (one.repr === 'bool') {
      const bits = this.region.arena.u8(one.values, 1)
      bits[0] = bits[0]! & 1 ? 255 : 0
    }
    return { ...one, rows: this.rows, constant: true, allNull: isNull, validity: 0 }
  }

  #compute(node: BoundNode): Column {
    const { region, rows } = this
    switch (node.op) {
      case 'compare':
        return compare(region, rows, node.operator, this.#dense(node.left), this.#dense(node.right))
      case 'settled':
        return settle(region, rows, node.value, this.plain(node.arg))
      case 'and':
      case 'or': {
        const kernel = node.op === 'and' ? region.arena.kernels.andKleene : region.arena.kernels.orKleene
        const args = node.args.map(arg => spread(region, this.plain(arg)))
        return args.reduce((a, b) => {
          const column = makeColumn(
            BOOL,
            rows,
            region.alloc(bitmapBytes(rows)),
            region.alloc(bitmapBytes(rows)),
          )
          kernel(a.values, a.validity, b.values, b.validity, rows, column.values, column.validity)
          return a.validity === 0 && b.validity === 0 ? { ...column, validity: 0 } : column
        })
      }
      case 'not': {
        const arg = this.plain(node.arg)
        if (arg.allNull) return arg
        return makeColumn(BOOL, rows, inverted(region, rows, spread(region, arg).values), arg.validity)
      }
      case 'isNull': {
        const arg = this.plain(node.arg)
        if (arg.allNull || arg.validity === 0)
          return spread(region, constantColumn(region, BOOL, arg.allNull, rows))
        return makeColumn(BOOL, rows, inverted(region, rows, arg.validity))
      }
      case 'in':
        return isIn(region, rows, this.#dense(node.arg), node.values, node.orNull)
      case 'like':
        return like(region, this.#dense(node.arg), node.pattern)
      case 'arithmetic':
        return arithmetic(region, rows, node, this.#dense(node.left), this.#dense(node.right))
      case 'convert':
        return convert(region, this.#dense(node.arg), node)
      case 'parse':
        return parseText(region, this.#dense(node.arg), node)
      case 'render':
        return renderText(region, this.#dense(node.arg))
      case 'coalesce':
        return this.#coalesce(node.args, node.type)
      case 'case':
        return this.#case(node)
      case 'concat':
        return node.args.map(arg => this.plain(arg)).reduce((a, b) => concat(region, rows, a, b))
      case 'lower':
      case 'upper':
        return changeCase(region, this.#dense(node.arg), node.op)
      case 'length':
        return countCharacters(region, this.#dense(node.arg))
      case 'substr':
        return substring(region, this.#dense(node.arg), node.start, node.length)
      case 'datePart':
        return datePart(region, this.#dense(node.arg), node.part)
      case 'truncate':
        return truncate(region, this.#dense(node.arg), node)
      case 'format': {
        const coded = formatTimes(region, this.#dense(node.arg), node.pattern)
        return lookUp(region, coded)
      }
      case 'column':
      case 'literal':
        return this.plain(node)
    }
  }

  /** Each argument matters only where all before it are null. */
  #coalesce(args: readonly BoundNode[], type: DataType): Column {
    const { region, rows } = this
    let result = this.plain(args[0]!)
    for (const arg of args.slice(1)) {
      if (!result.allNull && (result.constant || result.validity === 0)) return result
      const next = this.#within(arg, result.allNull ? 0 : inverted(region, rows, result.validity))
      if (result.allNull) result = next
      else if (!next.allNull) result = pick(region, rows, type, result.validity, result, next)
    }
    return result
  }

  /** Each value matters only where its condition is the first that is true. */
  #case(node: BoundNode & { op: 'case' }): Column {
    const { region, rows } = this
    let open = 0
    const branches = node.whens.map(({ when, value }) => {
      const met = trueBits(region, spread(region, this.#within(when, open)))
      const chosen = open === 0 ? met : bothSet(region, rows, met, open)
      const unmet = inverted(region, rows, met)
      open = open === 0 ? unmet : bothSet(region, rows, unmet, open)
      return { chosen, value: this.#within(value, chosen) }
    })
    return branches.reduceRight(
      (otherwise, { chosen, value }) => pick(region, rows, node.type, chosen, value, otherwise),
      this.#within(node.otherwise, open),
    )
  }

  /** A node whose value matters only in the rows of `mask` (0: all of them), and must not fail for the others. */
  #within(node: BoundNode, mask: number): Column {
    try {
      return this.plain(node)
    } catch (error) {
      if (mask === 0 || !isSluiceError(error) || error.code === 'budget') throw error
      const { region, rows } = this
      const masked = new Frame(region, rows, name => {
        const column = this.#plainColumn(name)
        if (column.constant) return column
        return {
          ...column,
          validity: column.validity === 0 ? mask : bothSet(region, rows, column.validity, mask),
        }
      })
      return masked.plain(node)
    }
  }

  /** An operand; one that is a constant stays one only in a frame of constants' own. */
  #dense(node: BoundNode): Column {
    const column = this.plain(node)
    return column.constant && this.rows === 1 && !column.allNull
      ? { ...column, constant: false, rows: 1 }
      : column
  }
}

/** A constant column row by row; any other as it is. */
function spread(region: Region, column: Column): Column {
  if (!column.constant) return column
  const { rows, repr } = column
  if (repr === 'null') return column
  const validity = column.allNull ? region.zeroed(bitmapBytes(rows)) : 0
  if (repr === 'bool') {
    const bytes = bitmapBytes(rows)
    const values = region.alloc(bytes)
    region.arena.u8(values, bytes).fill(column.allNull ? 0 : region.arena.u8(column.values, 1)[0]!)
    return makeColumn(column.type, rows, values, validity)
  }
  if (column.allNull) {
    const empty = constantColumn(region, column.type, repr === 'bytes' ? new Uint8Array() : 0n, 1)
    return { ...spread(region, { ...empty, rows }), validity }
  }
  return lookUp(region, {
    codes: region.zeroed(rows * 4),
    rows,
    dictionary: { ...column, constant: false, rows: 1 },
  })
}

/** A condition's bits that are set and not null. */
function trueBits(region: Region, column: Column): number {
  if (column.validity === 0) return column.values
  return bothSet(region, column.rows, column.values, column.validity)
}

function inverted(region: Region, rows: number, bits: number): number {
  const out = region.alloc(bitmapBytes(rows))
  region.arena.kernels.notXorBits(bits, 0, rows, out)
  return out
}

function bothSet(region: Region, rows: number, a: number, b: number): number {
  const out = region.alloc(bitmapBytes(rows))
  region.arena.kernels.andBits(a, b, rows, out)
  return out
}

function need(batch: RecordBatch, name: string): Data {
  const data = columnOf(batch, name)
  if (data === undefined) throw new SluiceError('schema', 'the batch lacks this column', { column: name })
  return data
}

function isSameDictionary(data: Data, bound: BoundExpr): boolean {
  return data.dictionary !== undefined && sameType(data.dictionary.type, bound.type)
}
