import { PARTS_IN_SQL, POWER, RESERVED } from './grammar.ts'
import type { ExprNode, Literal } from './node.ts'
import { sqlTypeName } from './typename.ts'

/** SQL text that parses back to the same expression. */
export function printSql(node: ExprNode): string {
  return print(node, 0)
}

/** Printed, in parentheses if it binds less than `power`. */
function print(node: ExprNode, power: number): string {
  const [own, text] = printed(node)
  return own < power ? `(${text})` : text
}

/** How tightly the node's outermost operator binds, and its text. */
function printed(node: ExprNode): [power: number, text: string] {
  switch (node.op) {
    case 'column':
      return [POWER.primary, quoteIdentifier(node.name)]
    case 'literal':
      return [POWER.primary, printLiteral(node.literal)]
    case 'compare':
      return binary(node.left, node.operator, node.right, POWER.compare, POWER.compare + 1)
    case 'arithmetic': {
      const power = node.operator === '+' || node.operator === '-' ? POWER.add : POWER.multiply
      return binary(node.left, node.operator, node.right, power, power)
    }
    case 'and':
    case 'or': {
      const power = POWER[node.op]
      return [power, node.args.map(arg => print(arg, power + 1)).join(node.op === 'and' ? ' AND ' : ' OR ')]
    }
    case 'not':
      if (node.arg.op === 'isNull') return [POWER.is, `${print(node.arg.arg, POWER.is + 1)} IS NOT NULL`]
      return [POWER.not, `NOT ${print(node.arg, POWER.not)}`]
    case 'isNull':
      return [POWER.is, `${print(node.arg, POWER.is + 1)} IS NULL`]
    case 'negate': {
      const arg = print(node.arg, POWER.negate)
      // A sign before a number would be read as part of it.
      return [POWER.negate, /^[\d.-]/.test(arg) ? `-(${arg})` : `-${arg}`]
    }
    case 'in':
      return [
        POWER.match,
        `${print(node.arg, POWER.match + 1)} IN (${node.values.map(printLiteral).join(', ')})`,
      ]
    case 'like': {
      const escaped = node.escape === undefined ? '' : ` ESCAPE ${quoteText(node.escape)}`
      return [POWER.match, `${print(node.arg, POWER.match + 1)} LIKE ${quoteText(node.pattern)}${escaped}`]
    }
    case 'concat':
      return [POWER.concat, node.args.map(arg => print(arg, POWER.concat + 1)).join(' || ')]
    case 'startsWith':
      return call('starts_with', [node.arg], quoteText(node.prefix))
    case 'lower':
    case 'upper':
    case 'length':
      return call(node.op, [node.arg])
    case 'coalesce':
      return call('coalesce', node.args)
    case 'substr':
      return call(
        'substr',
        [node.arg],
        String(node.start),
        ...(node.length === undefined ? [] : [String(node.length)]),
      )
    case 'datePart':
      return call(PARTS_IN_SQL[node.part], [node.arg])
    case 'truncate':
      return [POWER.primary, `date_trunc('${node.unit}', ${print(node.arg, 0)})`]
    case 'format':
      return call('strftime', [node.arg], quoteText(node.pattern))
    case 'cast':
      return [
        POWER.primary,
        `${node.orNull ? 'TRY_CAST' : 'CAST'}(${print(node.arg, 0)} AS ${sqlTypeName(node.to)})`,
      ]
    case 'case': {
      const whens = node.whens.map(({ when, value }) => `WHEN ${print(when, 0)} THEN ${print(value, 0)} `)
      const otherwise = node.otherwise === undefined ? '' : `ELSE ${print(node.otherwise, 0)} `
      return [POWER.primary, `CASE ${whens.join('')}${otherwise}END`]
    }
  }
}

function binary(
  left: ExprNode,
  operator: string,
  right: ExprNode,
  power: number,
  leftPower: number,
): [number, string] {
  return [power, `${print(left, leftPower)} ${operator} ${print(right, power + 1)}`]
}

function call(name: string, args: readonly ExprNode[], ...rest: string[]): [number, string] {
  return [POWER.primary, `${name}(${[...args.map(arg => print(arg, 0)), ...rest].join(', ')})`]
}

function printLiteral(literal: Literal): string {
  switch (literal.type) {
    case 'null':
      return 'NULL'
    case 'bool':
      return literal.value ? 'TRUE' : 'FALSE'
    case 'int':
      return literal.value
    case 'float':
      if (literal.value === '-0') return '-0.0'
      if (typeof literal.value === 'string') return `DOUBLE '${literal.value}'`
      return /[.e]/.test(String(literal.value)) ? String(literal.value) : `${literal.value}.0`
    case 'decimal':
      return `DECIMAL '${literal.value}'`
    case 'utf8':
      return quoteText(literal.value)
    case 'binary':
      return `X'${literal.value}'`
    case 'date':
      return `DATE '${literal.value}'`
    case 'timestamp':
      return `TIMESTAMP '${literal.value}'`
  }
}

function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

function quoteIdentifier(name: string): string {
  const bare = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !RESERVED.has(name.toLowerCase())
  return bare ? name : `"${name.replaceAll('"', '""')}"`
}
