import type { DataType } from 'apache-arrow'
import type { ArithmeticOperator, CompareOperator, DatePart, ExprNode, TruncateUnit } from './node.ts'
import { type Repr, reprOf, type Value } from './types.ts'

/** What is known of every bound node. */
interface Common {
  type: DataType
  repr: Repr
  nullable: boolean
  /** Columns used, each once. */
  columns: readonly string[]
}

/** A node whose operands have the types that its kernel wants. */
export type BoundNode = Common &
  (
    | { op: 'column'; name: string }
    | { op: 'literal'; value: Value | null }
    /** Both of one representation, or an int64 or uint64 and a float64. */
    | { op: 'compare'; operator: CompareOperator; left: BoundNode; right: BoundNode }
    /** `value` wherever `arg` is not null, null elsewhere. */
    | { op: 'settled'; value: boolean; arg: BoundNode }
    | { op: 'and' | 'or'; args: BoundNode[] }
    | { op: 'not' | 'isNull' | 'lower' | 'upper' | 'length'; arg: BoundNode }
    /** One of `values`; null instead of false where the list held a null. */
    | { op: 'in'; arg: BoundNode; values: Value[]; orNull: boolean }
    | { op: 'like'; arg: BoundNode; pattern: LikePattern }
    /** Both int64, float64 or decimals. */
    | { op: 'arithmetic'; operator: ArithmeticOperator; left: BoundNode; right: BoundNode; text: string }
    /** Between numbers: times `multiply`, divided by `divide`. `text` shows the node in errors. */
    | { op: 'convert'; arg: BoundNode; multiply: bigint; divide: bigint; orNull: boolean; text: string }
    /** To or from text. */
    | { op: 'parse'; arg: BoundNode; orNull: boolean; text: string }
    | { op: 'render'; arg: BoundNode; orNull: boolean; text: string }
    | { op: 'coalesce' | 'concat'; args: BoundNode[] }
    | { op: 'case'; whens: { when: BoundNode; value: BoundNode }[]; otherwise: BoundNode }
    | { op: 'substr'; arg: BoundNode; start: number; length: number | undefined }
    | { op: 'datePart'; part: DatePart; arg: BoundNode }
    | { op: 'truncate'; unit: TruncateUnit; arg: BoundNode; text: string }
    | { op: 'format'; pattern: string; arg: BoundNode }
  )

/** A pattern as bytes, each with a flag: 0 for itself, 1 for any character, 2 for any text. */
export interface LikePattern {
  bytes: Uint8Array
  flags: Uint8Array
  /** The bytes before the first wildcard. */
  prefix: Uint8Array
  /** Nothing but the prefix, or the prefix and `%`. */
  shape: 'exact' | 'prefix' | 'general'
}

/** An expression made ready for the columns of one schema. */
export interface BoundExpr {
  readonly node: ExprNode
  readonly root: BoundNode
  /** Of the values; a result may still come dictionary-encoded. */
  readonly type: DataType
  readonly nullable: boolean
  /** Columns used, each once, in order of appearance. */
  readonly columns: readonly string[]
  toString(): string
}

/** The members that follow from the operands; `nullable` where it does not merely follow. */
export function common(type: DataType, args: readonly BoundNode[], nullable?: boolean): Common {
  return {
    type,
    repr: reprOf(type),
    nullable: nullable ?? args.some(arg => arg.nullable),
    columns: [...new Set(args.flatMap(arg => arg.columns))],
  }
}

export function constant(type: DataType, value: Value | null): BoundNode & { op: 'literal' } {
  return { op: 'literal', value, ...common(type, [], value === null) }
}

/** Conditions that all have to be true for a predicate to be. */
export function conjuncts(bound: BoundExpr): BoundExpr[] {
  const { root } = bound
  if (root.op !== 'and') return [bound]
  return root.args.map(arg => ({ ...bound, root: arg, columns: arg.columns }))
}
