import { DataType, DateDay, DateUnit, Decimal } from 'apache-arrow'
import { type BoundNode, common, constant } from './bound.ts'
import { castTo } from './cast.ts'
import { naturalLiteral } from './fold.ts'
import { decimalLiteral } from './literal.ts'
import type { ExprNode } from './node.ts'
import { printSql } from './print.ts'
import { mismatch } from './problems.ts'
import { describeType } from './typename.ts'
import { asDecimal, commonType, FLOAT64, INT64, isNumeric } from './types.ts'

type Arithmetic = ExprNode & { op: 'arithmetic' }

/** Brings both sides to int64, float64 or decimals; dates take and give days. */
export function bindArithmetic(node: Arithmetic, a: BoundNode, b: BoundNode): BoundNode {
  const { operator } = node
  let left = a
  let right = b
  const days = dayArithmetic(node, left, right)
  if (days !== undefined) return days
  if (DataType.isDecimal(left.type)) right = literalAsDecimal(node.right) ?? right
  if (DataType.isDecimal(right.type)) left = literalAsDecimal(node.left) ?? left
  for (const side of [left, right]) {
    if (!isNumeric(side.type) && !DataType.isNull(side.type)) {
      throw mismatch(node, `uses '${operator}' on a value of type ${describeType(side.type)}`)
    }
  }
  const numeric = commonType(left.type, right.type) ?? INT64
  const type =
    operator === '/' || DataType.isFloat(numeric)
      ? FLOAT64
      : DataType.isDecimal(numeric)
        ? decimalResult(operator, left.type, right.type, node)
        : INT64
  if (DataType.isNull(left.type) || DataType.isNull(right.type)) return constant(type, null)
  const side = (arg: BoundNode, text: ExprNode) => {
    if (!DataType.isDecimal(type)) return castTo(arg, type, false, printSql(text))
    const own = asDecimal(arg.type)
    const target = operator === '*' ? own : new Decimal(type.scale, 38)
    return castTo(arg, target, false, printSql(text))
  }
  const args = [side(left, node.left), side(right, node.right)] as const
  const nullable = operator === '%' && type === INT64 ? true : undefined
  return {
    op: 'arithmetic',
    operator,
    left: args[0],
    right: args[1],
    text: printSql(node),
    ...common(type, args, nullable),
  }
}

/** Dates less dates are days; dates with integers are dates. */
function dayArithmetic(node: Arithmetic, left: BoundNode, right: BoundNode): BoundNode | undefined {
  const { operator } = node
  const isDay = (arg: BoundNode) => DataType.isDate(arg.type) && arg.type.unit === DateUnit.DAY
  if (operator !== '+' && operator !== '-') return undefined
  const both = isDay(left) && isDay(right) && operator === '-'
  const shifted = isDay(left) && DataType.isInt(right.type)
  if (!both && !shifted && !(operator === '+' && isDay(right) && DataType.isInt(left.type))) return undefined
  const args = [
    castTo(left, INT64, false, printSql(node.left), true),
    castTo(right, INT64, false, printSql(node.right), true),
  ] as const
  const days: BoundNode = {
    op: 'arithmetic',
    operator,
    left: args[0],
    right: args[1],
    text: printSql(node),
    ...common(INT64, args),
  }
  return both ? days : castTo(days, new DateDay(), false, printSql(node), true)
}

/** Minus a number. */
export function bindNegate(node: ExprNode, operand: ExprNode, arg: BoundNode): BoundNode {
  if (!isNumeric(arg.type)) {
    if (DataType.isNull(arg.type)) return arg
    throw mismatch(node, `negates a value of type ${describeType(arg.type)}`)
  }
  const type = DataType.isFloat(arg.type) ? FLOAT64 : DataType.isDecimal(arg.type) ? arg.type : INT64
  const own = castTo(arg, type, false, printSql(operand))
  // Minus one times x, where x - 0 would lose the sign of a zero; integers and decimals have none.
  const [operator, left, right] =
    type === FLOAT64 ? (['*', own, constant(type, -1)] as const) : (['-', constant(type, 0n), own] as const)
  return { op: 'arithmetic', operator, left, right, text: printSql(node), ...common(type, [own]) }
}

/** A number beside a decimal is meant as written, as SQL has it: not as the nearest double, nor as 19 digits. */
function literalAsDecimal(node: ExprNode): BoundNode | undefined {
  if (node.op !== 'literal' || (node.literal.type !== 'float' && node.literal.type !== 'int'))
    return undefined
  const text = String(node.literal.value)
  return /^-?\d+(\.\d+)?$/.test(text) ? naturalLiteral(decimalLiteral(text)) : undefined
}

function decimalResult(operator: string, a: DataType, b: DataType, node: ExprNode): Decimal {
  const [left, right] = [asDecimal(a), asDecimal(b)]
  if (operator === '%')
    throw mismatch(node, "uses '%' on decimals; cast them to float64 or to an integer first")
  if (operator === '*') {
    const scale = left.scale + right.scale
    if (scale > 38) throw mismatch(node, `multiplies decimals to ${scale} places, more than 38`)
    return new Decimal(scale, Math.min(38, left.precision + right.precision))
  }
  const scale = Math.max(left.scale, right.scale)
  const whole = Math.max(left.precision - left.scale, right.precision - right.scale)
  return new Decimal(scale, Math.min(38, whole + scale + 1))
}
