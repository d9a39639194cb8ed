import { isSluiceError } from '../errors.ts'
import { syntaxError, type Token, tokenize } from './tokenize.ts'

/** Steps through the tokens of SQL text; what is not as expected is an error that shows the place. */
export class Reader {
  readonly source: string
  readonly #tokens: Token[]
  #next = 0

  constructor(source: string) {
    this.source = source
    this.#tokens = tokenize(source)
  }

  /** Runs `read`; its error gets the place. */
  at<T>(at: number, read: () => T): T {
    try {
      return read()
    } catch (error) {
      if (isSluiceError(error)) throw syntaxError(this.source, at, error.reason, error.hint)
      throw error
    }
  }

  peek(): Token {
    return this.#tokens[this.#next]!
  }

  take(): Token {
    const token = this.#tokens[this.#next]!
    if (token.kind !== 'end') this.#next++
    return token
  }

  symbol(text: string): boolean {
    const token = this.peek()
    const found = token.kind === 'symbol' && token.text === text
    if (found) this.#next++
    return found
  }

  isWord(word: string): boolean {
    const token = this.peek()
    return token.kind === 'word' && token.text.toLowerCase() === word
  }

  word(word: string): boolean {
    const found = this.isWord(word)
    if (found) this.#next++
    return found
  }

  text(what: string): string {
    if (this.peek().kind !== 'text') throw this.unexpected(what)
    return this.take().text
  }

  expect(symbol: string): void {
    if (!this.symbol(symbol)) throw this.unexpected(`'${symbol}'`)
  }

  expectWord(word: string): void {
    if (!this.word(word)) throw this.unexpected(word.toUpperCase())
  }

  unexpected(wanted: string, { kind, text, at }: Token = this.peek()): Error {
    const found = kind === 'end' ? 'the text ends' : `found '${text}'`
    return syntaxError(this.source, at, `expected ${wanted}, but ${found}`)
  }
}
