import type { BoundExpr, BoundNode } from './bound.ts'
import type { CompareOperator } from './node.ts'
import type { Value } from './types.ts'

/**
 * What is known of a column's values in some rows. Bounds hold for the values that are not null; an inexact one
 * lies outside of them. A bound of a float column says nothing of NaN, which statistics leave out.
 */
export interface ColumnBounds {
  rows: number
  nullCount?: number | undefined
  min?: Value | undefined
  max?: Value | undefined
  /** The bound is one of the values. Absent: not known. */
  isMinExact?: boolean | undefined
  isMaxExact?: boolean | undefined
  /** Whether a value is certainly not among them, as a bloom filter may know. */
  lacks?: ((value: Value) => boolean) | undefined
}

/** Which of true, false and null a condition can be in some row. */
interface Outcomes {
  yes: boolean
  no: boolean
  unknown: boolean
}

const ANY: Outcomes = { yes: true, no: true, unknown: true }

/**
 * Whether no row, some or every row can be chosen by a predicate, as far as bounds of its columns tell. `none`
 * and `all` are certain; `some` is not.
 */
export function prune(
  bound: BoundExpr,
  bounds: (column: string) => ColumnBounds | undefined,
): 'none' | 'some' | 'all' {
  const rows = bound.columns.map(name => bounds(name)?.rows)
  if (rows.includes(0)) return 'none'
  const { yes, no, unknown } = outcomes(bound.root, bounds)
  return !yes ? 'none' : no || unknown ? 'some' : 'all'
}

/** Columns that a predicate compares with single values: whether they are lacking may decide it. */
export function columnsOfEqualities(node: BoundNode): string[] {
  switch (node.op) {
    case 'and':
    case 'or':
      return node.args.flatMap(columnsOfEqualities)
    case 'not':
      return columnsOfEqualities(node.arg)
    case 'compare':
      return (node.operator === '=' || node.operator === '<>') && node.left.op === 'column'
        ? [node.left.name]
        : []
    case 'in':
      return node.arg.op === 'column' ? [node.arg.name] : []
    case 'like':
      return node.arg.op === 'column' && node.pattern.shape === 'exact' ? [node.arg.name] : []
    default:
      return []
  }
}

function outcomes(node: BoundNode, bounds: (column: string) => ColumnBounds | undefined): Outcomes {
  switch (node.op) {
    case 'literal':
      return { yes: node.value === true, no: node.value === false, unknown: node.value === null }
    case 'column':
    case 'compare':
    case 'in':
    case 'like':
      return ofColumn(node, bounds)
    case 'settled': {
      const unknown = nulls(node.arg, bounds)
      return {
        yes: node.value && unknown !== 'all',
        no: !node.value && unknown !== 'all',
        unknown: unknown !== 'none',
      }
    }
    case 'isNull': {
      const found = nulls(node.arg, bounds)
      return { yes: found !== 'none', no: found !== 'all', unknown: false }
    }
    case 'not': {
      const { yes, no, unknown } = outcomes(node.arg, bounds)
      return { yes: no, no: yes, unknown }
    }
    case 'and': {
      const all = node.args.map(arg => outcomes(arg, bounds))
      const no = all.some(arg => arg.no)
      const onlyNo = all.some(arg => !arg.yes && !arg.unknown)
      return { yes: all.every(arg => arg.yes), no, unknown: !onlyNo && all.some(arg => arg.unknown) }
    }
    case 'or': {
      const all = node.args.map(arg => outcomes(arg, bounds))
      const onlyYes = all.some(arg => !arg.no && !arg.unknown)
      return {
        yes: all.some(arg => arg.yes),
        no: all.every(arg => arg.no),
        unknown: !onlyYes && all.some(arg => arg.unknown),
      }
    }
    default:
      return ANY
  }
}

/** Whether none, some or all of a node's values can be null. */
function nulls(
  node: BoundNode,
  bounds: (column: string) => ColumnBounds | undefined,
): 'none' | 'some' | 'all' {
  if (!node.nullable) return 'none'
  if (node.op !== 'column') return 'some'
  const known = bounds(node.name)
  if (known?.nullCount === undefined) return 'some'
  return known.nullCount === 0 ? 'none' : known.nullCount >= known.rows ? 'all' : 'some'
}

/** Outcomes of a condition on the values of one column; `unknown` is that of its nulls. */
function ofColumn(
  node: BoundNode & { op: 'column' | 'compare' | 'in' | 'like' },
  bounds: (column: string) => ColumnBounds | undefined,
): Outcomes {
  const column = node.op === 'column' ? node : node.op === 'compare' ? node.left : node.arg
  if (column.op !== 'column') return ANY
  const known = bounds(column.name)
  const found = nulls(column, bounds)
  if (found === 'all') return { yes: false, no: false, unknown: true }
  const range: Range = {
    min: known?.min,
    max: known?.max,
    mayBeNaN: column.repr.startsWith('f'),
    lacks: known?.lacks,
  }
  const { yes, no, unknown } = ofValues(node, range)
  return { yes, no, unknown: unknown || found !== 'none' }
}

interface Range {
  min: Value | undefined
  max: Value | undefined
  mayBeNaN: boolean
  lacks: ((value: Value) => boolean) | undefined
}

function ofValues(node: BoundNode & { op: 'column' | 'compare' | 'in' | 'like' }, range: Range): Outcomes {
  switch (node.op) {
    case 'column':
      return { ...both(compareRange(range, '=', true)), unknown: false }
    case 'compare':
      if (node.right.op !== 'literal' || node.right.value === null) return ANY
      return { ...both(compareRange(range, node.operator, node.right.value)), unknown: false }
    case 'in': {
      const each = node.values.map(value => compareRange(range, '=', value))
      const yes = each.some(one => one.yes)
      const no = each.every(one => one.no)
      return { yes, no: no && !node.orNull, unknown: no && node.orNull }
    }
    case 'like':
      return { ...both(likeRange(node.pattern.prefix, node.pattern.shape, range)), unknown: false }
  }
}

interface YesNo {
  yes: boolean
  no: boolean
}

function both({ yes, no }: YesNo): YesNo {
  return { yes, no }
}

/** Whether values in a range can, and can fail to, compare so with a value. */
function compareRange({ min, max, mayBeNaN, lacks }: Range, operator: CompareOperator, value: Value): YesNo {
  // NaN is above every bound: any range of floats goes on up to it.
  const toMin = min === undefined ? -1 : orderOf(min, value)
  const toMax = max === undefined || mayBeNaN ? 1 : orderOf(max, value)
  const below = toMin < 0
  const above = mayBeNaN ? !Number.isNaN(value as number) : toMax > 0
  const inside = mayBeNaN
    ? Number.isNaN(value as number) || (toMin <= 0 && (max === undefined || orderOf(max, value) >= 0))
    : toMin <= 0 && toMax >= 0
  // Equal for sure: both ends are the value, and every value lies between them.
  const only = !below && !above
  switch (operator) {
    case '=':
      return { yes: inside && !lacks?.(value), no: !only }
    case '<>':
      return { yes: !only, no: inside && !lacks?.(value) }
    case '<':
      return { yes: below, no: inside || above }
    case '<=':
      return { yes: below || inside, no: above }
    case '>':
      return { yes: above, no: inside || below }
    case '>=':
      return { yes: above || inside, no: below }
  }
}

/** Texts that begin with a prefix lie between it and the text after the last of them. */
function likeRange(prefix: Uint8Array, shape: 'exact' | 'prefix' | 'general', range: Range): YesNo {
  if (shape === 'exact') return compareRange(range, '=', prefix)
  const after = successor(prefix)
  const tooLow = range.max !== undefined && orderOf(range.max, prefix) < 0
  const tooHigh = range.min !== undefined && after !== undefined && orderOf(range.min, after) >= 0
  const least = range.min !== undefined && orderOf(range.min, prefix) >= 0
  const most = after === undefined || (range.max !== undefined && orderOf(range.max, after) < 0)
  return { yes: !tooLow && !tooHigh, no: !(shape === 'prefix' && least && most) }
}

/** The least text above all that begin with a prefix; undefined if there is none. */
function successor(prefix: Uint8Array): Uint8Array | undefined {
  let end = prefix.length
  while (end > 0 && prefix[end - 1] === 255) end--
  if (end === 0) return undefined
  const after = prefix.slice(0, end)
  after[end - 1]!++
  return after
}

/** Order of two values of one type: NaN equal to itself and last, text by bytes. */
function orderOf(a: Value, b: Value): number {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  if (typeof a === 'number' && typeof b === 'number' && (Number.isNaN(a) || Number.isNaN(b))) {
    return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  }
  return a < b ? -1 : a > b ? 1 : 0
}
