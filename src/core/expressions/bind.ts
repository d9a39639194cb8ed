import { DataType, DateUnit, Decimal, type Field, type Schema, Timestamp, TimeUnit, Utf8 } from 'apache-arrow'
import { valueType } from '../batch.ts'
import { SluiceError } from '../errors.ts'
import { bindArithmetic, bindNegate } from './bind-arithmetic.ts'
import { type BoundExpr, type BoundNode, common, constant } from './bound.ts'
import { castTo } from './cast.ts'
import { computedType } from './column.ts'
import type { Expr } from './expr.ts'
import { compareWithLiteral, exactLiteral, fits, naturalLiteral, placeLiteral, settled } from './fold.ts'
import { compileLike, prefixPattern } from './like.ts'
import { dateLiteral, timestampLiteral } from './literal.ts'
import { nearestName } from './nearest.ts'
import type { CompareOperator, ExprNode, Literal } from './node.ts'
import { printSql } from './print.ts'
import { describeLiteral, incomparable, mismatch } from './problems.ts'
import { describeType, typeNamed } from './typename.ts'
import {
  asDecimal,
  BOOL,
  commonType,
  FLOAT64,
  INT64,
  isBinary,
  isInstant,
  isNumeric,
  isText,
  sameType,
  type Value,
} from './types.ts'

/**
 * Checks an expression against a schema and makes it ready to run: names are resolved, literals take the type
 * of what they meet, operands are brought to a common type. Every error of type or name comes from here.
 */
export function bind(expr: Expr, schema: Schema): BoundExpr {
  const root = new Binder(schema).bind(expr.node)
  const { nullable, columns } = root
  const type =
    root.op === 'column' ? valueType(schema.fields.find(field => field.name === root.name)!.type) : root.type
  return { node: expr.node, root, type, nullable, columns, toString: () => printSql(expr.node) }
}

/** {@link bind}, for an expression that is to choose rows. */
export function bindPredicate(expr: Expr, schema: Schema): BoundExpr {
  const bound = bind(expr, schema)
  if (DataType.isBool(bound.type)) return bound
  if (DataType.isNull(bound.type)) return { ...bound, root: constant(BOOL, null), type: BOOL }
  throw new SluiceError('schema', `${bound} is of type ${describeType(bound.type)}, not a condition`)
}

const FLIPPED: Readonly<Record<CompareOperator, CompareOperator>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
}

class Binder {
  readonly #fields: Map<string, Field>
  readonly #names: string[]

  constructor(schema: Schema) {
    this.#names = schema.fields.map(field => field.name)
    this.#fields = new Map([...schema.fields].reverse().map(field => [field.name, field]))
  }

  bind(node: ExprNode): BoundNode {
    switch (node.op) {
      case 'column':
        return this.#column(node.name)
      case 'literal':
        return naturalLiteral(node.literal)
      case 'compare':
        return this.#compare(node)
      case 'arithmetic':
        return bindArithmetic(node, this.bind(node.left), this.bind(node.right))
      case 'and':
      case 'or': {
        const args = node.args.map(arg => this.#condition(arg, node))
        return { op: node.op, args, ...common(BOOL, args) }
      }
      case 'not': {
        const arg = this.#condition(node.arg, node)
        return { op: 'not', arg, ...common(BOOL, [arg]) }
      }
      case 'isNull': {
        const arg = this.bind(node.arg)
        if (DataType.isNull(arg.type)) return constant(BOOL, true)
        return { op: 'isNull', arg, ...common(BOOL, [arg], false) }
      }
      case 'negate':
        return bindNegate(node, node.arg, this.bind(node.arg))
      case 'in':
        return this.#in(node)
      case 'like':
      case 'startsWith': {
        const arg = this.#text(node.arg, node)
        const pattern =
          node.op === 'like' ? compileLike(node.pattern, node.escape) : prefixPattern(node.prefix)
        return { op: 'like', arg, pattern, ...common(BOOL, [arg]) }
      }
      case 'lower':
      case 'upper': {
        const arg = this.#text(node.arg, node)
        return { op: node.op, arg, ...common(new Utf8(), [arg]) }
      }
      case 'length': {
        const arg = this.#text(node.arg, node)
        return { op: 'length', arg, ...common(INT64, [arg]) }
      }
      case 'substr': {
        const arg = this.#text(node.arg, node)
        return { op: 'substr', arg, start: node.start, length: node.length, ...common(new Utf8(), [arg]) }
      }
      case 'concat': {
        const args = node.args.map(arg => castTo(this.bind(arg), new Utf8(), false, printSql(arg)))
        return { op: 'concat', args, ...common(new Utf8(), args) }
      }
      case 'coalesce': {
        const kept = node.args.filter(arg => arg.op !== 'literal' || arg.literal.type !== 'null')
        if (kept.length === 0) return naturalLiteral({ type: 'null' })
        const all = this.#unified(kept, node)
        // What comes after a constant is never reached.
        const last = all.findIndex(arg => arg.columns.length === 0 && !arg.nullable)
        const args = last < 0 ? all : all.slice(0, last + 1)
        if (args.length === 1) return args[0]!
        return {
          op: 'coalesce',
          args,
          ...common(
            args[0]!.type,
            args,
            args.every(arg => arg.nullable),
          ),
        }
      }
      case 'case': {
        const whens = node.whens.map(({ when }) => this.#condition(when, node))
        const otherwise: ExprNode = node.otherwise ?? { op: 'literal', literal: { type: 'null' } }
        const values = this.#unified([...node.whens.map(({ value }) => value), otherwise], node)
        const last = values.pop()!
        const nullable = [...values, last].some(value => value.nullable)
        return {
          op: 'case',
          whens: whens.map((when, index) => ({ when, value: values[index]! })),
          otherwise: last,
          ...common(last.type, [...whens, ...values, last], nullable),
        }
      }
      case 'cast':
        return this.#cast(node)
      case 'datePart': {
        const arg = this.#instant(node.arg, node)
        const time =
          DataType.isDate(arg.type) &&
          arg.type.unit === DateUnit.DAY &&
          ['hour', 'minute', 'second'].includes(node.part)
        if (time) throw mismatch(node, `takes the ${node.part} of a date, which has none`)
        return { op: 'datePart', part: node.part, arg, ...common(INT64, [arg]) }
      }
      case 'truncate': {
        const arg = this.#instant(node.arg, node)
        return { op: 'truncate', unit: node.unit, arg, text: printSql(node), ...common(arg.type, [arg]) }
      }
      case 'format': {
        const arg = this.#instant(node.arg, node)
        return { op: 'format', pattern: node.pattern, arg, ...common(new Utf8(), [arg]) }
      }
    }
  }

  #column(name: string): BoundNode {
    const field = this.#fields.get(name)
    if (field !== undefined) {
      return { op: 'column', name, ...common(computedType(field.type), [], field.nullable), columns: [name] }
    }
    const nearest = nearestName(name, this.#names)
    const shown = this.#names
      .slice(0, 30)
      .map(known => `'${known}'`)
      .join(', ')
    throw new SluiceError('schema', `there is no column '${name}'`, {
      hint: `${nearest === undefined ? '' : `Did you mean '${nearest}'? `}The columns are ${shown}${this.#names.length > 30 ? `, and ${this.#names.length - 30} more` : ''}.`,
    })
  }

  #compare(node: ExprNode & { op: 'compare' }): BoundNode {
    const { operator, left, right } = node
    const literalRight = literalIn(right)
    const literalLeft = literalIn(left)
    if (literalRight !== undefined && literalLeft === undefined) {
      return this.#compareLiteral(this.bind(left), operator, literalRight, node)
    }
    if (literalLeft !== undefined && literalRight === undefined) {
      return this.#compareLiteral(this.bind(right), FLIPPED[operator], literalLeft, node)
    }
    const a = this.bind(left)
    const b = this.bind(right)
    if (literalRight !== undefined) return this.#compareLiteral(a, operator, literalRight, node)
    if (DataType.isNull(a.type) || DataType.isNull(b.type)) return constant(BOOL, null)
    const pair = comparable(a, b)
    if (pair === undefined) throw incomparable(node, describeType(a.type), describeType(b.type))
    const [l, r] = pair
    return { op: 'compare', operator, left: l, right: r, ...common(BOOL, [l, r]) }
  }

  #compareLiteral(arg: BoundNode, operator: CompareOperator, literal: Literal, node: ExprNode): BoundNode {
    if (DataType.isNull(arg.type) || literal.type === 'null') return constant(BOOL, null)
    if (!fits(literal, arg.type)) throw incomparable(node, describeType(arg.type), describeLiteral(literal))
    return named(arg, () => compareWithLiteral(arg, operator, literal))
  }

  #in(node: ExprNode & { op: 'in' }): BoundNode {
    const arg = this.bind(node.arg)
    if (DataType.isNull(arg.type))
      return node.values.length === 0 ? constant(BOOL, false) : constant(BOOL, null)
    const values: Value[] = []
    for (const literal of node.values) {
      if (literal.type === 'null') continue
      if (!fits(literal, arg.type)) throw incomparable(node, describeType(arg.type), describeLiteral(literal))
      const placed = named(arg, () => placeLiteral(literal, arg.type))
      if ('at' in placed && placed.exact) values.push(placed.at)
    }
    if (node.values.length === 0) return constant(BOOL, false)
    const orNull = node.values.some(literal => literal.type === 'null')
    if (values.length === 0) return orNull ? constant(BOOL, null) : settled(false, arg)
    return { op: 'in', arg, values, orNull, ...common(BOOL, [arg], arg.nullable || orNull) }
  }

  #cast(node: ExprNode & { op: 'cast' }): BoundNode {
    const type = typeNamed(node.to)
    const orNull = node.orNull === true
    if (node.arg.op === 'literal') {
      const { literal } = node.arg
      const exact =
        literal.type === 'float' && DataType.isInt(type) ? undefined : this.#tryExact(literal, type)
      if (exact !== undefined) return exact
    }
    const arg = this.bind(node.arg)
    return castTo(arg, type, orNull, printSql(node.arg))
  }

  /** A literal of just that type; undefined where a cast has something to do, or to complain about. */
  #tryExact(literal: Literal, type: DataType): BoundNode | undefined {
    try {
      return exactLiteral(literal, type)
    } catch {
      return undefined
    }
  }

  /** Values of one type, literals taking the type of the others where they are values of it. */
  #unified(nodes: readonly ExprNode[], whole: ExprNode): BoundNode[] {
    const firm = nodes.filter(node => node.op !== 'literal').map(node => this.bind(node))
    const merge = (types: readonly DataType[]): DataType =>
      types.reduce((a, b) => {
        const type = commonType(a, b)
        if (type === undefined) throw mismatch(whole, `mixes ${describeType(a)} with ${describeType(b)}`)
        return type
      })
    let type = firm.length === 0 ? undefined : merge(firm.map(({ type }) => type))
    for (const node of nodes) {
      if (
        node.op !== 'literal' ||
        (type !== undefined && named(firm[0], () => exactLiteral(node.literal, type!)))
      )
        continue
      const own = naturalLiteral(node.literal).type
      type = type === undefined ? own : merge([type, own])
    }
    const target = type!
    return nodes.map(node => {
      const exact = node.op === 'literal' ? exactLiteral(node.literal, target) : undefined
      return exact ?? castTo(this.bind(node), target, false, printSql(node))
    })
  }

  #condition(node: ExprNode, whole: ExprNode): BoundNode {
    const arg = this.bind(node)
    if (DataType.isNull(arg.type)) return constant(BOOL, null)
    if (DataType.isBool(arg.type)) return arg
    throw mismatch(whole, `takes ${printSql(node)}, of type ${describeType(arg.type)}, for a condition`)
  }

  #text(node: ExprNode, whole: ExprNode): BoundNode {
    const arg = this.bind(node)
    if (DataType.isNull(arg.type)) return constant(new Utf8(), null)
    if (isText(arg.type)) return arg
    throw mismatch(whole, `needs text, but ${printSql(node)} is of type ${describeType(arg.type)}`)
  }

  #instant(node: ExprNode, whole: ExprNode): BoundNode {
    if (node.op === 'literal' && node.literal.type === 'utf8') {
      return exactLiteral(node.literal, new Timestamp(TimeUnit.MICROSECOND, null)) ?? this.bind(node)
    }
    const arg = this.bind(node)
    if (DataType.isNull(arg.type)) return constant(new Timestamp(TimeUnit.MICROSECOND, null), null)
    if (isInstant(arg.type)) return arg
    throw mismatch(
      whole,
      `needs a date or a timestamp, but ${printSql(node)} is of type ${describeType(arg.type)}`,
    )
  }
}

/** Both sides in a form that one kernel compares exactly. */
function comparable(a: BoundNode, b: BoundNode): [BoundNode, BoundNode] | undefined {
  if (sameType(a.type, b.type) && a.repr !== 'f16') return a.repr === 'opaque' ? undefined : [a, b]
  const to = (arg: BoundNode, type: DataType) => castTo(arg, type, false, '', true)
  if (isNumeric(a.type) && isNumeric(b.type)) {
    const whole = (arg: BoundNode) => (arg.repr === 'u64' ? arg : to(arg, INT64))
    const floats = [a, b].map(arg => DataType.isFloat(arg.type))
    if (floats[0] && floats[1]) return [to(a, FLOAT64), to(b, FLOAT64)]
    if (floats[0] || floats[1]) {
      const exact = (arg: BoundNode) => (DataType.isInt(arg.type) ? whole(arg) : to(arg, FLOAT64))
      return [exact(a), exact(b)]
    }
    const wide = [a, b].some(arg => arg.repr === 'u64' || arg.repr === 'i128')
    if (!wide) return [to(a, INT64), to(b, INT64)]
    const scale = Math.max(asDecimal(a.type).scale, asDecimal(b.type).scale)
    return [to(a, new Decimal(scale, 38)), to(b, new Decimal(scale, 38))]
  }
  if (isInstant(a.type) && isInstant(b.type)) {
    const type = commonType(a.type, b.type)!
    return [to(a, type), to(b, type)]
  }
  return (isText(a.type) && isText(b.type)) || (isBinary(a.type) && isBinary(b.type)) ? [a, b] : undefined
}

/** The literal that a node is, or that a cast of text to a date or a whole second makes of it: statistics can be asked for it. */
function literalIn(node: ExprNode): Literal | undefined {
  if (node.op === 'literal') return node.literal
  if (node.op !== 'cast' || node.orNull || node.arg.op !== 'literal' || node.arg.literal.type !== 'utf8')
    return undefined
  const { value } = node.arg.literal
  if (node.to === 'date' && /^\s*\d{4}-\d{2}-\d{2}\s*$/.test(value)) return dateLiteral(value)
  return node.to === 'timestamp[us]' && !value.includes('.') ? timestampLiteral(value) : undefined
}

/** Runs `place`; its error gets the column's name, if `arg` is one. */
function named<T>(arg: BoundNode | undefined, place: () => T): T {
  try {
    return place()
  } catch (error) {
    if (error instanceof SluiceError && arg?.op === 'column') throw error.within({ column: arg.name })
    throw error
  }
}
