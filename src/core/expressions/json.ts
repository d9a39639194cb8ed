import { SluiceError } from '../errors.ts'
import { checkPattern } from './format.ts'
import { dateLiteral, decimalLiteral, floatLiteral, integerLiteral, timestampLiteral } from './literal.ts'
import { checked, type ExprNode, type Literal, MAX_DEPTH, tooDeep } from './node.ts'
import { canonicalTypeName } from './typename.ts'

type Fields = Record<string, unknown>

const COMPARE = ['=', '<>', '<', '<=', '>', '>='] as const
const ARITHMETIC = ['+', '-', '*', '/', '%'] as const
const TRUNCATE = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second'] as const
const PARTS = [...TRUNCATE, 'dayOfWeek', 'dayOfYear'] as const

/** Data of unknown origin as an expression: every member checked, nothing else kept. */
export function nodeFromJSON(json: unknown, depth = 1): ExprNode {
  if (depth > MAX_DEPTH) throw tooDeep()
  const data = fields(json)
  const node = (key: string) => nodeFromJSON(data[key], depth + 1)
  const nodes = (key: string, least: number) =>
    list(data[key], key, least).map(item => nodeFromJSON(item, depth + 1))
  const op = data['op']
  switch (op) {
    case 'column':
      return { op, name: text(data, 'name') }
    case 'literal':
      return { op, literal: literalFromJSON(data['literal']) }
    case 'compare':
      return checked({
        op,
        operator: oneOf(data, 'operator', COMPARE),
        left: node('left'),
        right: node('right'),
      })
    case 'arithmetic':
      return checked({
        op,
        operator: oneOf(data, 'operator', ARITHMETIC),
        left: node('left'),
        right: node('right'),
      })
    case 'and':
    case 'or':
      return checked({ op, args: nodes('args', 2).flatMap(arg => (arg.op === op ? arg.args : [arg])) })
    case 'concat':
      return checked({ op, args: nodes('args', 2).flatMap(arg => (arg.op === op ? arg.args : [arg])) })
    case 'coalesce':
      return checked({ op, args: nodes('args', 1) })
    case 'not':
    case 'negate':
    case 'isNull':
    case 'lower':
    case 'upper':
    case 'length':
      return checked({ op, arg: node('arg') })
    case 'in':
      return checked({ op, arg: node('arg'), values: list(data['values'], 'values', 0).map(literalFromJSON) })
    case 'like': {
      const mark = data['escape'] === undefined ? {} : { escape: text(data, 'escape') }
      if (mark.escape !== undefined && [...mark.escape].length !== 1) throw malformed('escape', mark.escape)
      return checked({ op, arg: node('arg'), pattern: text(data, 'pattern'), ...mark })
    }
    case 'startsWith':
      return checked({ op, arg: node('arg'), prefix: text(data, 'prefix') })
    case 'substr': {
      const length = data['length'] === undefined ? {} : { length: whole(data, 'length') }
      if (length.length !== undefined && length.length < 0) throw malformed('length', length.length)
      return checked({ op, arg: node('arg'), start: whole(data, 'start'), ...length })
    }
    case 'datePart':
      return checked({ op, part: oneOf(data, 'part', PARTS), arg: node('arg') })
    case 'truncate':
      return checked({ op, unit: oneOf(data, 'unit', TRUNCATE), arg: node('arg') })
    case 'format': {
      const pattern = text(data, 'pattern')
      checkPattern(pattern)
      return checked({ op, arg: node('arg'), pattern })
    }
    case 'cast': {
      const orNull = data['orNull'] === true ? { orNull: true as const } : {}
      return checked({ op, arg: node('arg'), to: canonicalTypeName(text(data, 'to')), ...orNull })
    }
    case 'case': {
      const whens = list(data['whens'], 'whens', 1).map(item => ({
        when: nodeFromJSON(fields(item)['when'], depth + 1),
        value: nodeFromJSON(fields(item)['value'], depth + 1),
      }))
      return checked({
        op,
        whens,
        ...(data['otherwise'] === undefined ? {} : { otherwise: node('otherwise') }),
      })
    }
    default:
      throw malformed('op', op)
  }
}

function literalFromJSON(json: unknown): Literal {
  const data = fields(json)
  const { type, value } = data
  switch (type) {
    case 'null':
      return { type }
    case 'bool':
      if (typeof value !== 'boolean') throw malformed('value', value)
      return { type, value }
    case 'int':
      if (!/^-?\d+$/.test(text(data, 'value'))) throw malformed('value', value)
      return integerLiteral(BigInt(text(data, 'value')))
    case 'float':
      if (typeof value === 'number') return floatLiteral(value)
      return { type, value: oneOf(data, 'value', ['NaN', 'Infinity', '-Infinity', '-0'] as const) }
    case 'decimal':
      return decimalLiteral(text(data, 'value'))
    case 'utf8':
      return { type, value: text(data, 'value') }
    case 'binary':
      if (!/^(?:[0-9a-f]{2})*$/.test(text(data, 'value'))) throw malformed('value', value)
      return { type, value: text(data, 'value') }
    case 'date':
      return dateLiteral(text(data, 'value'))
    case 'timestamp':
      return timestampLiteral(text(data, 'value'))
    default:
      throw malformed('type', type)
  }
}

function fields(json: unknown): Fields {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw malformed('node', json)
  return json as Fields
}

function list(value: unknown, key: string, least: number): unknown[] {
  if (!Array.isArray(value) || value.length < least) throw malformed(key, value)
  return value
}

function text(data: Fields, key: string): string {
  const value = data[key]
  if (typeof value !== 'string') throw malformed(key, value)
  return value
}

function whole(data: Fields, key: string): number {
  const value = data[key]
  if (typeof value !== 'number' || !Number.isInteger(value) || Math.abs(value) > 2 ** 31 - 1)
    throw malformed(key, value)
  return value
}

function oneOf<T extends string>(data: Fields, key: string, allowed: readonly T[]): T {
  const found = allowed.find(item => item === data[key])
  if (found === undefined) throw malformed(key, data[key])
  return found
}

function malformed(key: string, value: unknown): SluiceError {
  const shown = typeof value === 'string' ? `'${value}'` : String(value)
  return new SluiceError('invalid-argument', `the expression's JSON has ${shown} as '${key}'`)
}
