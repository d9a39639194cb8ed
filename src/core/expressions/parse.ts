import { type Argument, functionCall, partNamed } from './functions.ts'
import { POWER, RESERVED } from './grammar.ts'
import { dateLiteral, decimalLiteral, floatLiteral, integerLiteral, timestampLiteral } from './literal.ts'
import {
  type ArithmeticOperator,
  type CompareOperator,
  checked,
  combine,
  type ExprNode,
  type Literal,
  MAX_DEPTH,
  type TruncateUnit,
  tooDeep,
} from './node.ts'
import { Reader } from './reader.ts'
import { syntaxError, type Token } from './tokenize.ts'
import { canonicalTypeName } from './typename.ts'

const INFIX: Readonly<Record<string, number>> = {
  or: POWER.or,
  and: POWER.and,
  is: POWER.is,
  '=': POWER.compare,
  '<>': POWER.compare,
  '!=': POWER.compare,
  '<': POWER.compare,
  '<=': POWER.compare,
  '>': POWER.compare,
  '>=': POWER.compare,
  in: POWER.match,
  between: POWER.match,
  like: POWER.match,
  not: POWER.match,
  '||': POWER.concat,
  '+': POWER.add,
  '-': POWER.add,
  '*': POWER.multiply,
  '/': POWER.multiply,
  '%': POWER.multiply,
  '::': POWER.cast,
}
const UNITS: readonly TruncateUnit[] = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second']
/** Parses SQL text by operator precedence; errors point at the place. */
export function parseSql(source: string): ExprNode {
  return new Parser(source).whole()
}

class Parser {
  readonly #in: Reader
  #depth = 0

  constructor(source: string) {
    this.#in = new Reader(source)
  }

  whole(): ExprNode {
    const node = this.#expression(0)
    if (this.#in.peek().kind !== 'end') throw this.#in.unexpected('an operator')
    return node
  }

  /** An operand and every operator after it that binds tighter than `power`. */
  #expression(power: number): ExprNode {
    // A printed level takes two calls at most: an operand's, and that of its parentheses.
    if (++this.#depth > 2 * MAX_DEPTH + 8) throw tooDeep()
    let left = this.#prefix()
    while (true) {
      const token = this.#in.peek()
      const key = token.kind === 'word' ? token.text.toLowerCase() : token.kind === 'symbol' ? token.text : ''
      const own = Object.hasOwn(INFIX, key) ? INFIX[key]! : 0
      if (own <= power) break
      this.#in.take()
      left = this.#infix(left, key, own, token)
    }
    this.#depth--
    return left
  }

  #infix(left: ExprNode, key: string, power: number, token: Token): ExprNode {
    switch (key) {
      case 'and':
      case 'or':
        return combine(key, [left, this.#expression(power)])
      case 'is': {
        const negated = this.#in.word('not')
        this.#in.expectWord('null')
        return negate(checked({ op: 'isNull', arg: left }), negated)
      }
      case '=':
      case '<>':
      case '!=':
      case '<':
      case '<=':
      case '>':
      case '>=': {
        const operator: CompareOperator = key === '!=' ? '<>' : key
        const right = this.#expression(power)
        return checked({ op: 'compare', operator, left, right })
      }
      case '+':
      case '-':
      case '*':
      case '/':
      case '%': {
        const operator: ArithmeticOperator = key
        return checked({ op: 'arithmetic', operator, left, right: this.#expression(power) })
      }
      case '||': {
        const right = this.#expression(power)
        return checked({
          op: 'concat',
          args: [left, right].flatMap(arg => (arg.op === 'concat' ? arg.args : [arg])),
        })
      }
      case '::':
        return checked({ op: 'cast', arg: left, to: this.#type() })
      default:
        return this.#matching(left, key, token)
    }
  }

  #matching(left: ExprNode, key: string, token: Token): ExprNode {
    const negated = key === 'not'
    const verb = negated ? this.#in.take().text.toLowerCase() : key
    switch (verb) {
      case 'in':
        return negate(this.#list(left), negated)
      case 'between': {
        const low = this.#expression(POWER.match)
        this.#in.expectWord('and')
        const high = this.#expression(POWER.match)
        const above = checked({ op: 'compare', operator: '>=', left, right: low })
        const below = checked({ op: 'compare', operator: '<=', left, right: high })
        return negate(combine('and', [above, below]), negated)
      }
      case 'like': {
        const pattern = this.#in.text('a pattern in quotes')
        if (!this.#in.word('escape')) return negate(checked({ op: 'like', arg: left, pattern }), negated)
        const at = this.#in.peek().at
        const mark = this.#in.text('one character in quotes')
        if ([...mark].length !== 1) throw syntaxError(this.#in.source, at, 'the escape must be one character')
        return negate(checked({ op: 'like', arg: left, pattern, escape: mark }), negated)
      }
      default:
        throw syntaxError(this.#in.source, token.at, "expected IN, BETWEEN or LIKE after 'NOT'")
    }
  }

  /** The list of IN. Constants stay a list; anything else is what IN means, a chain of `=`. */
  #list(left: ExprNode): ExprNode {
    this.#in.expect('(')
    const items: ExprNode[] = []
    if (!this.#in.symbol(')')) {
      do items.push(this.#expression(0))
      while (this.#in.symbol(','))
      this.#in.expect(')')
    }
    if (items.every(item => item.op === 'literal')) {
      return checked({ op: 'in', arg: left, values: items.map(item => item.literal) })
    }
    return combine(
      'or',
      items.map(right => checked({ op: 'compare', operator: '=', left, right })),
    )
  }

  #prefix(): ExprNode {
    const token = this.#in.take()
    const follower = this.#in.peek()
    switch (token.kind) {
      case 'number':
        return { op: 'literal', literal: this.#number(token, '') }
      case 'text':
        return { op: 'literal', literal: { type: 'utf8', value: token.text } }
      case 'hex':
        return { op: 'literal', literal: { type: 'binary', value: token.text.toLowerCase() } }
      case 'name':
        return { op: 'column', name: token.text }
      case 'word':
        return this.#bareWord(token, follower)
      case 'symbol':
        if (token.text === '(') {
          const node = this.#expression(0)
          this.#in.expect(')')
          return node
        }
        if (token.text === '-') {
          if (follower.kind === 'number')
            return { op: 'literal', literal: this.#number(this.#in.take(), '-') }
          return checked({ op: 'negate', arg: this.#expression(POWER.negate - 1) })
        }
        if (token.text === '+') return this.#expression(POWER.negate - 1)
    }
    throw this.#in.unexpected('a column, a value or a function', token)
  }

  #bareWord(token: Token, follower: Token): ExprNode {
    const word = token.text.toLowerCase()
    switch (word) {
      case 'not':
        return checked({ op: 'not', arg: this.#expression(POWER.not - 1) })
      case 'null':
        return { op: 'literal', literal: { type: 'null' } }
      case 'true':
      case 'false':
        return { op: 'literal', literal: { type: 'bool', value: word === 'true' } }
      case 'case':
        return this.#case()
    }
    if (RESERVED.has(word)) {
      throw this.#in.unexpected('a column, a value or a function', token)
    }
    if (follower.kind === 'text') {
      const literal = this.#typedLiteral(word, follower)
      if (literal !== undefined) return { op: 'literal', literal }
    }
    if (follower.kind === 'symbol' && follower.text === '(') return this.#call(word, token)
    return { op: 'column', name: token.text }
  }

  #typedLiteral(word: string, { text }: Token): Literal | undefined {
    const read = {
      date: dateLiteral,
      timestamp: timestampLiteral,
      decimal: decimalLiteral,
      double: doubleLiteral,
    }
    if (!Object.hasOwn(read, word)) return undefined
    const { at } = this.#in.take()
    return this.#in.at(at, () => read[word as keyof typeof read](text))
  }

  #case(): ExprNode {
    const subject = this.#in.isWord('when') ? undefined : this.#expression(0)
    const whens: { when: ExprNode; value: ExprNode }[] = []
    while (this.#in.word('when')) {
      const test = this.#expression(0)
      this.#in.expectWord('then')
      const when =
        subject === undefined ? test : checked({ op: 'compare', operator: '=', left: subject, right: test })
      whens.push({ when, value: this.#expression(0) })
    }
    if (whens.length === 0) throw this.#in.unexpected('WHEN')
    const otherwise = this.#in.word('else') ? { otherwise: this.#expression(0) } : {}
    this.#in.expectWord('end')
    return checked({ op: 'case', whens, ...otherwise })
  }

  #call(name: string, token: Token): ExprNode {
    this.#in.expect('(')
    switch (name) {
      case 'cast':
      case 'try_cast': {
        const arg = this.#expression(0)
        this.#in.expectWord('as')
        const to = this.#type()
        this.#in.expect(')')
        return checked({ op: 'cast', arg, to, ...(name === 'try_cast' ? { orNull: true } : {}) })
      }
      case 'extract': {
        const part = partNamed(this.#in, this.#in.take())
        this.#in.expectWord('from')
        const arg = this.#expression(0)
        this.#in.expect(')')
        return checked({ op: 'datePart', part, arg })
      }
      case 'date_trunc': {
        const { at } = this.#in.peek()
        const unit = UNITS.find(known => known === this.#in.peek().text.toLowerCase())
        this.#in.text('a unit in quotes')
        if (unit === undefined)
          throw syntaxError(this.#in.source, at, 'unknown unit', `Use one of ${UNITS.join(', ')}.`)
        this.#in.expect(',')
        const arg = this.#expression(0)
        this.#in.expect(')')
        return checked({ op: 'truncate', unit, arg })
      }
      case 'date_part': {
        const part = partNamed(this.#in, this.#in.take())
        this.#in.expect(',')
        const arg = this.#expression(0)
        this.#in.expect(')')
        return checked({ op: 'datePart', part, arg })
      }
    }
    const args: Argument[] = []
    if (!this.#in.symbol(')')) {
      do {
        const { at } = this.#in.peek()
        args.push({ at, node: this.#expression(0) })
      } while (this.#in.symbol(','))
      this.#in.expect(')')
    }
    return functionCall(this.#in, token, args)
  }

  /** A type's name up to its closing parenthesis, if it has one. */
  #type(): string {
    const token = this.#in.take()
    let name = token.text
    if (this.#in.symbol('(')) {
      const inside: string[] = []
      do inside.push(this.#in.take().text)
      while (this.#in.symbol(','))
      this.#in.expect(')')
      name += `(${inside.join(',')})`
    } else if (/^(timestamp)$/i.test(name) && this.#in.word('with')) {
      this.#in.expectWord('time')
      this.#in.expectWord('zone')
      name = 'timestamptz'
    } else if (/^double$/i.test(name)) this.#in.word('precision')
    return this.#in.at(token.at, () => canonicalTypeName(name))
  }

  #number(token: Token, sign: '' | '-'): Literal {
    const text = sign + token.text
    if (!/^-?\d+$/.test(text)) return floatLiteral(Number(text))
    return this.#in.at(token.at, () => integerLiteral(BigInt(text)))
  }
}

function doubleLiteral(text: string): Literal {
  const value = /^\s*nan\s*$/i.test(text)
    ? Number.NaN
    : Number(text.trim().replace(/^([+-]?)inf$/i, '$1Infinity'))
  if (text.trim() === '' || (Number.isNaN(value) && !/nan/i.test(text))) return decimalLiteral(text)
  return floatLiteral(value)
}

function negate(node: ExprNode, negated: boolean): ExprNode {
  return negated ? checked({ op: 'not', arg: node }) : node
}
