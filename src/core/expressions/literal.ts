import { SluiceError } from '../errors.ts'
import type { Literal } from './node.ts'
import { formatTimestamp, parseTimestamp } from './temporal.ts'

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

/** A JavaScript value as a literal; a `Date` is a timestamp in UTC. */
export function literalOf(value: unknown): Literal {
  if (value === null) return { type: 'null' }
  if (typeof value === 'boolean') return { type: 'bool', value }
  if (typeof value === 'string') return { type: 'utf8', value }
  if (typeof value === 'bigint') return integerLiteral(value)
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) && !Object.is(value, -0)
      ? { type: 'int', value: String(value) }
      : floatLiteral(value)
  }
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime()))
      throw new SluiceError('invalid-argument', 'an invalid Date in an expression')
    return { type: 'timestamp', value: formatTimestamp(BigInt(value.getTime()) * 1_000_000n) }
  }
  if (value instanceof Uint8Array) return { type: 'binary', value: Buffer.from(value).toString('hex') }
  throw new SluiceError('invalid-argument', `an expression cannot hold a value of type ${typeof value}`, {
    hint: 'Use a string, number, bigint, boolean, Date, Uint8Array or null.',
  })
}

/** An integer as int64 or, beyond that, as a decimal of at most 38 digits. */
export function integerLiteral(value: bigint): Literal {
  const text = String(value)
  if (value >= INT64_MIN && value <= INT64_MAX) return { type: 'int', value: text }
  return decimalLiteral(text)
}

export function decimalLiteral(text: string): Literal {
  const parts = /^(-?)(\d*)(?:\.(\d*))?$/.exec(text.trim())
  const digits = parts === null ? '' : `${parts[2]}${parts[3] ?? ''}`
  if (
    parts === null ||
    digits === '' ||
    digits.replace(/^0+/, '').length > 38 ||
    (parts[3] ?? '').length > 38
  ) {
    throw new SluiceError('invalid-argument', `'${text}' is not a decimal of at most 38 digits`)
  }
  const whole = parts[2]!.replace(/^0+(?=\d)/, '') || '0'
  return { type: 'decimal', value: `${parts[1]}${whole}${parts[3] ? `.${parts[3]}` : ''}` }
}

export function floatLiteral(value: number): Literal {
  const name = Object.is(value, -0) ? '-0' : String(value)
  if (name === 'NaN' || name === 'Infinity' || name === '-Infinity' || name === '-0')
    return { type: 'float', value: name }
  return { type: 'float', value }
}

export function dateLiteral(text: string): Literal {
  const trimmed = text.trim()
  if (!/^[+-]?\d{4,6}-\d{1,2}-\d{1,2}$/.test(trimmed)) throw badLiteral(text, 'a date', 'YYYY-MM-DD')
  return { type: 'date', value: formatTimestamp(timestampNanos(trimmed, 'a date')).slice(0, -9) }
}

export function timestampLiteral(text: string): Literal {
  return { type: 'timestamp', value: formatTimestamp(timestampNanos(text, 'a timestamp')) }
}

/** Nanoseconds since 1970 in UTC that a text means, or an error that shows the text. */
export function timestampNanos(text: string, what: string): bigint {
  const nanos = parseTimestamp(text)
  if (nanos === undefined)
    throw badLiteral(text, what, 'YYYY-MM-DD or YYYY-MM-DD HH:MM:SS[.fraction][Z or +HH:MM]')
  return nanos
}

/** A decimal number in digits, with optional fraction and exponent, as unscaled × 10^-scale. */
export function parseDecimal(text: string): { unscaled: bigint; scale: number } | undefined {
  const parts = /^\s*([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?\s*$/.exec(text)
  if (parts === null) return undefined
  const digits = `${parts[2]}${parts[3] ?? ''}`
  if (digits === '') return undefined
  const scale = (parts[3] ?? '').length - Number(parts[4] ?? 0)
  const magnitude = BigInt(digits) * 10n ** BigInt(Math.max(0, -scale))
  return { unscaled: parts[1] === '-' ? -magnitude : magnitude, scale: Math.max(0, scale) }
}

export function floatValue(literal: Extract<Literal, { type: 'float' }>): number {
  return Number(literal.value)
}

function badLiteral(text: string, what: string, form: string): SluiceError {
  return new SluiceError('invalid-argument', `'${text}' is not ${what}`, { hint: `Write it as ${form}.` })
}
