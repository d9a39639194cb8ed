import { SluiceError } from '../errors.ts'
import type { ExprNode, Literal } from './node.ts'
import { printSql } from './print.ts'

/** Two sides whose types have no order between them. */
export function incomparable(node: ExprNode, left: string, right: string): SluiceError {
  return new SluiceError('schema', `${printSql(node)} compares ${left} with ${right}`, {
    hint: 'Write the value in the type of the column, or use cast.',
  })
}

/** A node whose operand is of a type that it has no use for. */
export function mismatch(node: ExprNode, problem: string): SluiceError {
  return new SluiceError('schema', `${printSql(node)} ${problem}`)
}

/** How messages call a constant. */
export function describeLiteral(literal: Literal): string {
  const names = {
    int: 'a number',
    float: 'a number',
    decimal: 'a number',
    utf8: 'text',
    bool: 'a boolean',
    binary: 'binary',
  }
  return literal.type in names ? names[literal.type as keyof typeof names] : `a ${literal.type}`
}
