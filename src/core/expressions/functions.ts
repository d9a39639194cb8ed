import { checkPattern } from './format.ts'
import { PARTS_IN_SQL } from './grammar.ts'
import { checked, type DatePart, type ExprNode } from './node.ts'
import type { Reader } from './reader.ts'
import { syntaxError, type Token } from './tokenize.ts'

/** An argument and where it begins. */
export interface Argument {
  node: ExprNode
  at: number
}

const PARTS = Object.entries(PARTS_IN_SQL).map(([part, sql]) => [sql, part as DatePart] as const)
const FUNCTIONS =
  `coalesce concat lower upper length substr substring starts_with strftime format date_trunc extract date_part cast try_cast ${PARTS.map(([sql]) => sql).join(' ')}`.split(
    ' ',
  )

/** A call of an ordinary function, its arguments parsed. */
export function functionCall(source: Reader, token: Token, args: readonly Argument[]): ExprNode {
  const name = token.text.toLowerCase()
  const nodes = args.map(({ node }) => node)
  const [first] = nodes
  const arity = (least: number, most: number) => {
    if (args.length >= least && args.length <= most) return
    const wanted =
      least === most ? String(least) : most === Infinity ? `at least ${least}` : `${least} to ${most}`
    throw syntaxError(
      source.source,
      token.at,
      `${name} takes ${wanted} argument${wanted === '1' ? '' : 's'}, not ${args.length}`,
    )
  }
  switch (name) {
    case 'coalesce':
      arity(1, Infinity)
      return checked({ op: 'coalesce', args: nodes })
    case 'concat': {
      // Unlike ||, SQL's concat() takes a null for empty text.
      arity(2, Infinity)
      const empty: ExprNode = { op: 'literal', literal: { type: 'utf8', value: '' } }
      return checked({
        op: 'concat',
        args: nodes.map(node => checked({ op: 'coalesce', args: [node, empty] })),
      })
    }
    case 'lower':
    case 'upper':
    case 'length':
      arity(1, 1)
      return checked({ op: name, arg: first! })
    case 'substr':
    case 'substring': {
      arity(2, 3)
      const start = whole(source, args[1]!)
      const length = args[2] === undefined ? {} : { length: whole(source, args[2]) }
      if (length.length !== undefined && length.length < 0)
        throw syntaxError(source.source, args[2]!.at, 'a length below 0')
      return checked({ op: 'substr', arg: first!, start, ...length })
    }
    case 'starts_with':
      arity(2, 2)
      return checked({ op: 'startsWith', arg: first!, prefix: constantText(source, args[1]!) })
    case 'strftime':
    case 'format': {
      arity(2, 2)
      const pattern = constantText(source, args[1]!)
      source.at(args[1]!.at, () => checkPattern(pattern))
      return checked({ op: 'format', arg: first!, pattern })
    }
  }
  const part = PARTS.find(([sql]) => sql === name)?.[1]
  if (part === undefined) {
    throw syntaxError(
      source.source,
      token.at,
      `unknown function '${token.text}'`,
      `Known are ${FUNCTIONS.join(', ')}.`,
    )
  }
  arity(1, 1)
  return checked({ op: 'datePart', part, arg: first! })
}

/** The part of a date of that name. */
export function partNamed(source: Reader, token: Token): DatePart {
  const name = token.text.toLowerCase()
  const part = PARTS.find(
    ([sql]) => sql === (name === 'dow' ? 'dayofweek' : name === 'doy' ? 'dayofyear' : name),
  )?.[1]
  if (part === undefined) {
    throw syntaxError(
      source.source,
      token.at,
      'unknown part of a date',
      `Use one of ${PARTS.map(([sql]) => sql).join(', ')}.`,
    )
  }
  return part
}

function whole(source: Reader, { node, at }: Argument): number {
  const value = node.op === 'literal' && node.literal.type === 'int' ? Number(node.literal.value) : Number.NaN
  if (!(Math.abs(value) < 2 ** 31)) throw syntaxError(source.source, at, 'expected a whole number')
  return value
}

function constantText(source: Reader, { node, at }: Argument): string {
  if (node.op === 'literal' && node.literal.type === 'utf8') return node.literal.value
  throw syntaxError(source.source, at, 'expected text in quotes')
}
