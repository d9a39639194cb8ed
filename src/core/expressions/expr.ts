import { SluiceError } from '../errors.ts'
import { checkPattern } from './format.ts'
import { nodeFromJSON } from './json.ts'
import { literalOf } from './literal.ts'
import {
  type ArithmeticOperator,
  type CompareOperator,
  checked,
  combine,
  type DatePart,
  type ExprNode,
  type TruncateUnit,
} from './node.ts'
import { parseSql } from './parse.ts'
import { printSql } from './print.ts'
import { canonicalTypeName } from './typename.ts'

/** A constant of JavaScript's; a `Date` is a timestamp in UTC. */
export type Constant = string | number | bigint | boolean | Date | null | Uint8Array
/** The other side of an operator: an expression, or a constant. A string is text, never a column's name. */
export type Operand = Expr | Constant

/**
 * A computation over the columns of one row: what `filter` and `derive` take. Built from {@link col} and
 * {@link lit} by methods, or from text by {@link sql}; both give the same thing. Nulls behave as in SQL, NaN
 * equals itself and is greater than every number, text compares by its UTF-8 bytes. Types are checked against
 * the columns before the first byte of data is read.
 *
 * ```ts
 * filter(col('dt').gte('2025-01-01').and(col('fare').gt(10)))
 * ```
 */
export class Expr {
  readonly node: ExprNode

  constructor(node: ExprNode) {
    this.node = checked(node)
  }

  eq(other: Operand): Expr {
    return this.#compare('=', other)
  }

  ne(other: Operand): Expr {
    return this.#compare('<>', other)
  }

  lt(other: Operand): Expr {
    return this.#compare('<', other)
  }

  lte(other: Operand): Expr {
    return this.#compare('<=', other)
  }

  gt(other: Operand): Expr {
    return this.#compare('>', other)
  }

  gte(other: Operand): Expr {
    return this.#compare('>=', other)
  }

  /** `low <= this and this <= high`. */
  between(low: Operand, high: Operand): Expr {
    return this.gte(low).and(this.lte(high))
  }

  /** Equal to one of the values. */
  in(values: Iterable<Constant>): Expr {
    return new Expr({ op: 'in', arg: this.node, values: [...values].map(literalOf) })
  }

  /** Matches a pattern in which `%` stands for any text and `_` for one character. */
  like(pattern: string, options: { escape?: string } = {}): Expr {
    if (options.escape === undefined) return new Expr({ op: 'like', arg: this.node, pattern })
    if ([...options.escape].length !== 1) {
      throw new SluiceError('invalid-argument', `must be one character, not '${options.escape}'`, {
        option: 'escape',
      })
    }
    return new Expr({ op: 'like', arg: this.node, pattern, escape: options.escape })
  }

  startsWith(prefix: string): Expr {
    return new Expr({ op: 'startsWith', arg: this.node, prefix })
  }

  and(...others: Operand[]): Expr {
    return new Expr(combine('and', [this.node, ...others.map(nodeOf)]))
  }

  or(...others: Operand[]): Expr {
    return new Expr(combine('or', [this.node, ...others.map(nodeOf)]))
  }

  not(): Expr {
    return this.#unary('not')
  }

  isNull(): Expr {
    return this.#unary('isNull')
  }

  isNotNull(): Expr {
    return this.isNull().not()
  }

  /** Integers give int64 and fail on overflow; any float gives float64; decimals stay exact. */
  plus(other: Operand): Expr {
    return this.#arithmetic('+', other)
  }

  minus(other: Operand): Expr {
    return this.#arithmetic('-', other)
  }

  times(other: Operand): Expr {
    return this.#arithmetic('*', other)
  }

  /** The quotient as float64, also of integers. */
  dividedBy(other: Operand): Expr {
    return this.#arithmetic('/', other)
  }

  /** The remainder, with the sign of the dividend; null where integers are divided by 0. */
  modulo(other: Operand): Expr {
    return this.#arithmetic('%', other)
  }

  negate(): Expr {
    return this.#unary('negate')
  }

  /** The first that is not null, of this and the others. */
  coalesce(...others: Operand[]): Expr {
    return new Expr({ op: 'coalesce', args: [this.node, ...others.map(nodeOf)] })
  }

  /** This and the others joined as text; null if any is null. */
  concat(...others: Operand[]): Expr {
    const args = [this.node, ...others.map(nodeOf)]
    if (args.length === 1) return this
    return new Expr({ op: 'concat', args: args.flatMap(arg => (arg.op === 'concat' ? arg.args : [arg])) })
  }

  /** Converts to a type such as `int64`, `utf8`, `timestamp[us]`, `decimal(10, 2)`; fails on a value that does not fit. */
  cast(type: string): Expr {
    return new Expr({ op: 'cast', arg: this.node, to: canonicalTypeName(type) })
  }

  /** Converts like {@link Expr.cast}; a value that does not fit becomes null. */
  tryCast(type: string): Expr {
    return new Expr({ op: 'cast', arg: this.node, to: canonicalTypeName(type), orNull: true })
  }

  /** Characters from `start`, counted from 1, or from the end if negative. */
  substr(start: number, length?: number): Expr {
    for (const [option, value] of [
      ['start', start],
      ['length', length ?? 0],
    ] as const) {
      if (!Number.isInteger(value) || Math.abs(value) > 2 ** 31 - 1 || (option === 'length' && value < 0)) {
        throw new SluiceError('invalid-argument', `must be a whole number of characters, not ${value}`, {
          option,
        })
      }
    }
    return new Expr({ op: 'substr', arg: this.node, start, ...(length === undefined ? {} : { length }) })
  }

  lower(): Expr {
    return this.#unary('lower')
  }

  upper(): Expr {
    return this.#unary('upper')
  }

  /** Number of characters. */
  length(): Expr {
    return this.#unary('length')
  }

  year(): Expr {
    return this.#datePart('year')
  }

  quarter(): Expr {
    return this.#datePart('quarter')
  }

  month(): Expr {
    return this.#datePart('month')
  }

  /** ISO week, 1 to 53. */
  week(): Expr {
    return this.#datePart('week')
  }

  day(): Expr {
    return this.#datePart('day')
  }

  hour(): Expr {
    return this.#datePart('hour')
  }

  minute(): Expr {
    return this.#datePart('minute')
  }

  second(): Expr {
    return this.#datePart('second')
  }

  /** 0 for Sunday to 6. */
  dayOfWeek(): Expr {
    return this.#datePart('dayOfWeek')
  }

  dayOfYear(): Expr {
    return this.#datePart('dayOfYear')
  }

  /** The start of the period that holds this date or time; weeks begin on Monday. */
  truncate(unit: TruncateUnit): Expr {
    return new Expr({ op: 'truncate', unit, arg: this.node })
  }

  /** A date or time as text by the tokens of strftime, such as `%Y-%m-%d`. */
  format(pattern: string): Expr {
    checkPattern(pattern)
    return new Expr({ op: 'format', arg: this.node, pattern })
  }

  /** SQL text; {@link sql} makes the same expression of it. */
  toString(): string {
    return printSql(this.node)
  }

  /** Plain data that JSON keeps exactly. */
  toJSON(): ExprNode {
    return this.node
  }

  /** The expression that {@link Expr.toJSON} made data of, checked. */
  static fromJSON(json: unknown): Expr {
    return new Expr(nodeFromJSON(json))
  }

  #compare(operator: CompareOperator, other: Operand): Expr {
    return new Expr({ op: 'compare', operator, left: this.node, right: nodeOf(other) })
  }

  #arithmetic(operator: ArithmeticOperator, other: Operand): Expr {
    return new Expr({ op: 'arithmetic', operator, left: this.node, right: nodeOf(other) })
  }

  #unary(op: 'not' | 'negate' | 'isNull' | 'lower' | 'upper' | 'length'): Expr {
    return new Expr({ op, arg: this.node })
  }

  #datePart(part: DatePart): Expr {
    return new Expr({ op: 'datePart', part, arg: this.node })
  }
}

/** The column of that name. */
export function col(name: string): Expr {
  return new Expr({ op: 'column', name })
}

/** A constant. */
export function lit(value: Constant): Expr {
  return new Expr({ op: 'literal', literal: literalOf(value) })
}

/** An expression from SQL text, such as `dt >= '2025-01-01' and fare > 10`. */
export function sql(text: string): Expr {
  return new Expr(parseSql(text))
}

function nodeOf(operand: Operand): ExprNode {
  return operand instanceof Expr ? operand.node : { op: 'literal', literal: literalOf(operand) }
}
