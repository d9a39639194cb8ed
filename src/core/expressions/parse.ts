import { isSluiceError } from '../errors.ts'
import { checkPattern } from './format.ts'
import { PARTS_IN_SQL, POWER, RESERVED } from './grammar.ts'
import { dateLiteral, decimalLiteral, floatLiteral, integerLiteral, timestampLiteral } from './literal.ts'
import {
  type ArithmeticOperator,
  type CompareOperator,
  checked,
  combine,
  type DatePart,
  type ExprNode,
  type Literal,
  MAX_DEPTH,
  type TruncateUnit,
  tooDeep,
} from './node.ts'
import { syntaxError, type Token, tokenize } from './tokenize.ts'
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
const PARTS = Object.entries(PARTS_IN_SQL).map(([part, sql]) => [sql, part as DatePart] as const)
const FUNCTIONS =
  `coalesce concat lower upper length substr substring starts_with strftime format date_trunc extract date_part cast try_cast ${PARTS.map(([sql]) => sql).join(' ')}`.split(
    ' ',
  )

/** Parses SQL text by operator precedence; errors point at the place. */
export function parseSql(source: string): ExprNode {
  return new Parser(source).whole()
}

class Parser {
  readonly #source: string
  readonly #tokens: Token[]
  #next = 0
  #depth = 0

  constructor(source: string) {
    this.#source = source
    this.#tokens = tokenize(source)
  }

  whole(): ExprNode {
    const node = this.#expression(0)
    if (this.#peek().kind !== 'end') throw this.#unexpected('an operator')
    return node
  }

  /** An operand and every operator after it that binds tighter than `power`. */
  #expression(power: number): ExprNode {
    // A printed level takes two calls at most: an operand's, and that of its parentheses.
    if (++this.#depth > 2 * MAX_DEPTH + 8) throw tooDeep()
    let left = this.#prefix()
    while (true) {
      const token = this.#peek()
      const key = token.kind === 'word' ? token.text.toLowerCase() : token.kind === 'symbol' ? token.text : ''
      const own = Object.hasOwn(INFIX, key) ? INFIX[key]! : 0
      if (own <= power) break
      this.#next++
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
        const negated = this.#word('not')
        this.#expectWord('null')
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
    const verb = negated ? this.#take().text.toLowerCase() : key
    switch (verb) {
      case 'in':
        return negate(this.#list(left), negated)
      case 'between': {
        const low = this.#expression(POWER.match)
        this.#expectWord('and')
        const high = this.#expression(POWER.match)
        const above = checked({ op: 'compare', operator: '>=', left, right: low })
        const below = checked({ op: 'compare', operator: '<=', left, right: high })
        return negate(combine('and', [above, below]), negated)
      }
      case 'like': {
        const pattern = this.#text('a pattern in quotes')
        if (!this.#word('escape')) return negate(checked({ op: 'like', arg: left, pattern }), negated)
        const at = this.#peek().at
        const mark = this.#text('one character in quotes')
        if ([...mark].length !== 1) throw syntaxError(this.#source, at, 'the escape must be one character')
        return negate(checked({ op: 'like', arg: left, pattern, escape: mark }), negated)
      }
      default:
        throw syntaxError(this.#source, token.at, "expected IN, BETWEEN or LIKE after 'NOT'")
    }
  }

  /** The list of IN. Constants stay a list; anything else is what IN means, a chain of `=`. */
  #list(left: ExprNode): ExprNode {
    this.#expect('(')
    const items: ExprNode[] = []
    if (!this.#symbol(')')) {
      do items.push(this.#expression(0))
      while (this.#symbol(','))
      this.#expect(')')
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
    const token = this.#take()
    const follower = this.#peek()
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
          this.#expect(')')
          return node
        }
        if (token.text === '-') {
          if (follower.kind === 'number') return { op: 'literal', literal: this.#number(this.#take(), '-') }
          return checked({ op: 'negate', arg: this.#expression(POWER.negate - 1) })
        }
        if (token.text === '+') return this.#expression(POWER.negate - 1)
    }
    throw this.#unexpected('a column, a value or a function', token)
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
      throw this.#unexpected('a column, a value or a function', token)
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
    const { at } = this.#take()
    return this.#at(at, () => read[word as keyof typeof read](text))
  }

  #case(): ExprNode {
    const subject = this.#isWord('when') ? undefined : this.#expression(0)
    const whens: { when: ExprNode; value: ExprNode }[] = []
    while (this.#word('when')) {
      const test = this.#expression(0)
      this.#expectWord('then')
      const when =
        subject === undefined ? test : checked({ op: 'compare', operator: '=', left: subject, right: test })
      whens.push({ when, value: this.#expression(0) })
    }
    if (whens.length === 0) throw this.#unexpected('WHEN')
    const otherwise = this.#word('else') ? { otherwise: this.#expression(0) } : {}
    this.#expectWord('end')
    return checked({ op: 'case', whens, ...otherwise })
  }

  #call(name: string, token: Token): ExprNode {
    this.#expect('(')
    switch (name) {
      case 'cast':
      case 'try_cast': {
        const arg = this.#expression(0)
        this.#expectWord('as')
        const to = this.#type()
        this.#expect(')')
        return checked({ op: 'cast', arg, to, ...(name === 'try_cast' ? { orNull: true } : {}) })
      }
      case 'extract': {
        const part = this.#part(this.#take())
        this.#expectWord('from')
        const arg = this.#expression(0)
        this.#expect(')')
        return checked({ op: 'datePart', part, arg })
      }
      case 'date_trunc': {
        const { at } = this.#peek()
        const unit = UNITS.find(known => known === this.#tokens[this.#next]!.text.toLowerCase())
        this.#text('a unit in quotes')
        if (unit === undefined)
          throw syntaxError(this.#source, at, 'unknown unit', `Use one of ${UNITS.join(', ')}.`)
        this.#expect(',')
        const arg = this.#expression(0)
        this.#expect(')')
        return checked({ op: 'truncate', unit, arg })
      }
      case 'date_part': {
        const part = this.#part(this.#take())
        this.#expect(',')
        const arg = this.#expression(0)
        this.#expect(')')
        return checked({ op: 'datePart', part, arg })
      }
    }
    const args: { node: ExprNode; at: number }[] = []
    if (!this.#symbol(')')) {
      do {
        const { at } = this.#peek()
        args.push({ at, node: this.#expression(0) })
      } while (this.#symbol(','))
      this.#expect(')')
    }
    return this.#function(name, token, args)
  }

  #function(name: string, token: Token, args: { node: ExprNode; at: number }[]): ExprNode {
    const nodes = args.map(({ node }) => node)
    const [first] = nodes
    const arity = (least: number, most: number) => {
      if (args.length >= least && args.length <= most) return
      const wanted =
        least === most ? String(least) : most === Infinity ? `at least ${least}` : `${least} to ${most}`
      throw syntaxError(
        this.#source,
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
        const start = this.#whole(args[1]!)
        const length = args[2] === undefined ? {} : { length: this.#whole(args[2]) }
        if (length.length !== undefined && length.length < 0)
          throw syntaxError(this.#source, args[2]!.at, 'a length below 0')
        return checked({ op: 'substr', arg: first!, start, ...length })
      }
      case 'starts_with':
        arity(2, 2)
        return checked({ op: 'startsWith', arg: first!, prefix: this.#constantText(args[1]!) })
      case 'strftime':
      case 'format': {
        arity(2, 2)
        const pattern = this.#constantText(args[1]!)
        this.#at(args[1]!.at, () => checkPattern(pattern))
        return checked({ op: 'format', arg: first!, pattern })
      }
    }
    const part = PARTS.find(([sql]) => sql === name)?.[1]
    if (part === undefined) {
      throw syntaxError(
        this.#source,
        token.at,
        `unknown function '${token.text}'`,
        `Known are ${FUNCTIONS.join(', ')}.`,
      )
    }
    arity(1, 1)
    return checked({ op: 'datePart', part, arg: first! })
  }

  #part(token: Token): DatePart {
    const name = token.text.toLowerCase()
    const part = PARTS.find(
      ([sql]) => sql === (name === 'dow' ? 'dayofweek' : name === 'doy' ? 'dayofyear' : name),
    )?.[1]
    if (part === undefined) {
      throw syntaxError(
        this.#source,
        token.at,
        'unknown part of a date',
        `Use one of ${PARTS.map(([sql]) => sql).join(', ')}.`,
      )
    }
    return part
  }

  /** A type's name up to its closing parenthesis, if it has one. */
  #type(): string {
    const token = this.#take()
    let name = token.text
    if (this.#symbol('(')) {
      const inside: string[] = []
      do inside.push(this.#take().text)
      while (this.#symbol(','))
      this.#expect(')')
      name += `(${inside.join(',')})`
    } else if (/^(timestamp)$/i.test(name) && this.#word('with')) {
      this.#expectWord('time')
      this.#expectWord('zone')
      name = 'timestamptz'
    } else if (/^double$/i.test(name)) this.#word('precision')
    return this.#at(token.at, () => canonicalTypeName(name))
  }

  #number(token: Token, sign: '' | '-'): Literal {
    const text = sign + token.text
    if (!/^-?\d+$/.test(text)) return floatLiteral(Number(text))
    return this.#at(token.at, () => integerLiteral(BigInt(text)))
  }

  #whole({ node, at }: { node: ExprNode; at: number }): number {
    const value =
      node.op === 'literal' && node.literal.type === 'int' ? Number(node.literal.value) : Number.NaN
    if (!(Math.abs(value) < 2 ** 31)) throw syntaxError(this.#source, at, 'expected a whole number')
    return value
  }

  #constantText({ node, at }: { node: ExprNode; at: number }): string {
    if (node.op === 'literal' && node.literal.type === 'utf8') return node.literal.value
    throw syntaxError(this.#source, at, 'expected text in quotes')
  }

  /** Runs `read`; its error gets the place. */
  #at<T>(at: number, read: () => T): T {
    try {
      return read()
    } catch (error) {
      if (isSluiceError(error)) throw syntaxError(this.#source, at, error.reason, error.hint)
      throw error
    }
  }

  #peek(): Token {
    return this.#tokens[this.#next]!
  }

  #take(): Token {
    const token = this.#tokens[this.#next]!
    if (token.kind !== 'end') this.#next++
    return token
  }

  #symbol(text: string): boolean {
    const token = this.#peek()
    const found = token.kind === 'symbol' && token.text === text
    if (found) this.#next++
    return found
  }

  #isWord(word: string): boolean {
    const token = this.#peek()
    return token.kind === 'word' && token.text.toLowerCase() === word
  }

  #word(word: string): boolean {
    const found = this.#isWord(word)
    if (found) this.#next++
    return found
  }

  #text(what: string): string {
    if (this.#peek().kind !== 'text') throw this.#unexpected(what)
    return this.#take().text
  }

  #expect(symbol: string): void {
    if (!this.#symbol(symbol)) throw this.#unexpected(`'${symbol}'`)
  }

  #expectWord(word: string): void {
    if (!this.#word(word)) throw this.#unexpected(word.toUpperCase())
  }

  #unexpected(wanted: string, { kind, text, at }: Token = this.#peek()): Error {
    const found = kind === 'end' ? 'the text ends' : `found '${text}'`
    return syntaxError(this.#source, at, `expected ${wanted}, but ${found}`)
  }
}

function doubleLiteral(text: string): Literal {
  const value = /^\s*nan\s*$/i.test(text)
    ? Number.NaN
    : Number(text.trim().replace(/^([+-]?)inf$/i, '$1Infinity'))
  if (Number.isNaN(value) && !/nan/i.test(text)) return decimalLiteral(text)
  return floatLiteral(value)
}

function negate(node: ExprNode, negated: boolean): ExprNode {
  return negated ? checked({ op: 'not', arg: node }) : node
}
