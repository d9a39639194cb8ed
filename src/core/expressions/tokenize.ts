import { SluiceError } from '../errors.ts'

export interface Token {
  /** `word` is a bare identifier or keyword, `name` a quoted one. */
  kind: 'word' | 'name' | 'text' | 'hex' | 'number' | 'symbol' | 'end'
  /** Without quotes, escapes resolved. */
  text: string
  /** Where it begins in the source. */
  at: number
}

const SYMBOLS = ['<>', '!=', '<=', '>=', '||', '::', '=', '<', '>', '+', '-', '*', '/', '%', '(', ')', ',']
const NUMBER = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y
const WORD = /[\p{L}_][\p{L}\p{N}\p{M}_$]*/uy

/** Cuts SQL text into tokens; the last is `end`. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < source.length) {
    const character = source[at]!
    if (/\s/.test(character)) {
      at++
      continue
    }
    const hex = (character === 'x' || character === 'X') && source[at + 1] === "'"
    if (character === "'" || character === '"' || hex) {
      const start = hex ? at + 1 : at
      const end = closingQuote(source, start)
      const quote = source[start]!
      const text = source.slice(start + 1, end).replaceAll(quote + quote, quote)
      if (hex && !/^(?:[0-9a-fA-F]{2})*$/.test(text))
        throw syntaxError(source, at, 'not pairs of hexadecimal digits')
      tokens.push({ kind: hex ? 'hex' : quote === '"' ? 'name' : 'text', text, at })
      at = end + 1
      continue
    }
    const number = match(NUMBER, source, at)
    const word = number === undefined ? match(WORD, source, at) : undefined
    const symbol = number ?? word ?? SYMBOLS.find(candidate => source.startsWith(candidate, at))
    if (symbol === undefined)
      throw syntaxError(source, at, `unexpected '${String.fromCodePoint(source.codePointAt(at)!)}'`)
    if (number !== undefined && match(WORD, source, at + number.length) !== undefined) {
      throw syntaxError(source, at, 'malformed number')
    }
    tokens.push({
      kind: number !== undefined ? 'number' : word !== undefined ? 'word' : 'symbol',
      text: symbol,
      at,
    })
    at += symbol.length
  }
  tokens.push({ kind: 'end', text: '', at })
  return tokens
}

/** An error that shows the text with a caret under the place. */
export function syntaxError(source: string, at: number, reason: string, hint?: string): SluiceError {
  const start = source.lastIndexOf('\n', at - 1) + 1
  const end = source.indexOf('\n', at)
  const from = Math.max(start, at - 60)
  const line = source.slice(from, Math.min(end < 0 ? source.length : end, at + 60)).replaceAll('\t', ' ')
  const caret = ' '.repeat(at - from)
  const advice = hint === undefined ? '' : `. ${hint}`
  return new SluiceError('invalid-argument', `${reason}${advice}\n  ${line}\n  ${caret}^`)
}

function closingQuote(source: string, start: number): number {
  const quote = source[start]!
  let at = start + 1
  while (true) {
    const end = source.indexOf(quote, at)
    if (end < 0) throw syntaxError(source, start, `this ${quote} is never closed`)
    if (source[end + 1] !== quote) return end
    at = end + 2
  }
}

function match(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(source)?.[0]
}
