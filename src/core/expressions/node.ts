import { SluiceError } from '../errors.ts'

/**
 * A constant as the text or the builder gave it; it takes the type of what it meets when it is bound. All
 * members are plain JSON, exact at any width.
 */
export type Literal =
  | { type: 'null' }
  | { type: 'bool'; value: boolean }
  /** An integer of 64 bits, in decimal digits. */
  | { type: 'int'; value: string }
  /** A double; what JSON cannot say is spelled out. */
  | { type: 'float'; value: number | 'NaN' | 'Infinity' | '-Infinity' | '-0' }
  /** At most 38 digits, with an optional fraction. */
  | { type: 'decimal'; value: string }
  | { type: 'utf8'; value: string }
  /** Lower-case hexadecimal digits, two a byte. */
  | { type: 'binary'; value: string }
  /** `YYYY-MM-DD`. */
  | { type: 'date'; value: string }
  /** `YYYY-MM-DD HH:MM:SS[.fraction]`, in UTC. */
  | { type: 'timestamp'; value: string }

export type CompareOperator = '=' | '<>' | '<' | '<=' | '>' | '>='
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%'
export type DatePart =
  | 'year'
  | 'quarter'
  | 'month'
  | 'week'
  | 'day'
  | 'hour'
  | 'minute'
  | 'second'
  | 'dayOfWeek'
  | 'dayOfYear'
export type TruncateUnit = 'year' | 'quarter' | 'month' | 'week' | 'day' | 'hour' | 'minute' | 'second'

/**
 * An expression as data: the one form that builder, SQL text, files and threads share. `BETWEEN`, `NOT IN` and
 * the like have no node of their own; they are what they mean.
 */
export type ExprNode =
  | { op: 'column'; name: string }
  | { op: 'literal'; literal: Literal }
  | { op: 'compare'; operator: CompareOperator; left: ExprNode; right: ExprNode }
  | { op: 'arithmetic'; operator: ArithmeticOperator; left: ExprNode; right: ExprNode }
  /** Two or more operands, none of which is itself an `and` (or `or`, respectively). */
  | { op: 'and' | 'or'; args: ExprNode[] }
  | { op: 'not' | 'negate' | 'isNull' | 'lower' | 'upper' | 'length'; arg: ExprNode }
  | { op: 'in'; arg: ExprNode; values: Literal[] }
  | { op: 'like'; arg: ExprNode; pattern: string; escape?: string }
  | { op: 'startsWith'; arg: ExprNode; prefix: string }
  | { op: 'coalesce' | 'concat'; args: ExprNode[] }
  /** From `start`, counted from 1 (from the end where negative), in characters; to the end without `length`. */
  | { op: 'substr'; arg: ExprNode; start: number; length?: number }
  | { op: 'datePart'; part: DatePart; arg: ExprNode }
  | { op: 'truncate'; unit: TruncateUnit; arg: ExprNode }
  | { op: 'format'; arg: ExprNode; pattern: string }
  /** `orNull`: a value that does not convert becomes null instead of an error. */
  | { op: 'cast'; arg: ExprNode; to: string; orNull?: true }
  | { op: 'case'; whens: { when: ExprNode; value: ExprNode }[]; otherwise?: ExprNode }

/** Deeper expressions are refused: they come from a generator gone wrong, and would overflow the stack. */
export const MAX_DEPTH = 256

export function childrenOf(node: ExprNode): readonly ExprNode[] {
  switch (node.op) {
    case 'column':
    case 'literal':
      return []
    case 'compare':
    case 'arithmetic':
      return [node.left, node.right]
    case 'and':
    case 'or':
    case 'coalesce':
    case 'concat':
      return node.args
    case 'case':
      return [
        ...node.whens.flatMap(({ when, value }) => [when, value]),
        ...(node.otherwise === undefined ? [] : [node.otherwise]),
      ]
    default:
      return [node.arg]
  }
}

/** The columns that an expression names, each as often as it does. */
export function columnsIn(node: ExprNode): string[] {
  return node.op === 'column' ? [node.name] : childrenOf(node).flatMap(columnsIn)
}

/** The same expression over columns of other names. */
export function withColumns(node: ExprNode, nameOf: (column: string) => string): ExprNode {
  const renamed = (child: ExprNode): ExprNode => withColumns(child, nameOf)
  switch (node.op) {
    case 'column':
      return { ...node, name: nameOf(node.name) }
    case 'literal':
      return node
    case 'compare':
    case 'arithmetic':
      return { ...node, left: renamed(node.left), right: renamed(node.right) }
    case 'and':
    case 'or':
    case 'coalesce':
    case 'concat':
      return { ...node, args: node.args.map(renamed) }
    case 'case': {
      const whens = node.whens.map(({ when, value }) => ({ when: renamed(when), value: renamed(value) }))
      const { otherwise } = node
      return { ...node, whens, ...(otherwise === undefined ? {} : { otherwise: renamed(otherwise) }) }
    }
    default:
      return { ...node, arg: renamed(node.arg) }
  }
}

const depths = new WeakMap<ExprNode, number>()

/** Passes on a node whose children have passed before; refuses it where it is too deep. */
export function checked<T extends ExprNode>(node: T): T {
  let depth = 1
  for (const child of childrenOf(node)) depth = Math.max(depth, 1 + (depths.get(child) ?? 0))
  if (depth > MAX_DEPTH) throw tooDeep()
  depths.set(node, depth)
  return node
}

export function tooDeep(): SluiceError {
  return new SluiceError('invalid-argument', `the expression is nested more than ${MAX_DEPTH} deep`, {
    hint: 'Use in() for a list of values, or derive intermediate columns.',
  })
}

/** `and` or `or` of conditions, flat; of a single one, that one. */
export function combine(op: 'and' | 'or', args: readonly ExprNode[]): ExprNode {
  const flat = args.flatMap(arg => (arg.op === op ? arg.args : [arg]))
  return flat.length === 1 ? flat[0]! : checked({ op, args: flat })
}
