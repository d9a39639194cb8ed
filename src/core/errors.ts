/** What a caller can do about a failure; stable across versions. */
export type ErrorCode =
  /** An option, argument or expression is malformed. Mend the call. */
  | 'invalid-argument'
  /** A column, a type or a schema does not fit. */
  | 'schema'
  /** The object, folder or column chunk asked for is not there. */
  | 'not-found'
  /** Something that was to be created is there already. */
  | 'already-exists'
  /** A conditional request failed: the object has changed. */
  | 'precondition'
  /** Another job committed something that this one contradicts. */
  | 'conflict'
  /** The store refused the credentials or the operation. */
  | 'permission'
  /** The store, the file or this version of Sluice cannot do it. */
  | 'unsupported'
  /** Bytes that are damaged, truncated or lie about themselves. */
  | 'corrupt'
  /** It does not fit in the memory budget. */
  | 'budget'
  /** A time limit of the caller's own was reached. */
  | 'timeout'
  /** The store or the network failed; trying again may help. */
  | 'io'
  /** A worker thread died: out of memory, or of a defect. Others take its place; trying again may help. */
  | 'lane'
  /** A function of the user's threw; see `cause`. */
  | 'callback'

/** Where a failure happened. Everything known is also part of the message. */
export interface ErrorContext {
  /** The option or argument at fault. */
  option?: string
  /** Store URL and key, or path, of the file at fault. */
  file?: string
  /** Ordinal of the row group in its file, from 0. */
  rowGroup?: number
  /** Name of the column at fault. */
  column?: string
  /** One sentence: what to do. */
  hint?: string
  /** How long the service asks to wait before another try. Not part of the message. */
  retryAfterMs?: number
  /** See {@link SluiceError.attempts}. Not part of the message. */
  attempts?: number
  cause?: unknown
}

const PLACE = ['option', 'file', 'rowGroup', 'column', 'hint'] as const

const brand: symbol = Symbol.for('sluice.error')

/**
 * The one error class of Sluice. `code` says what a caller can do, the message names the option, file, column
 * or row group and says what to do. Recognise it with {@link isSluiceError}, which also works across two
 * copies of the library.
 */
export class SluiceError extends Error {
  override readonly name: string = 'SluiceError'
  readonly code: ErrorCode
  readonly option: string | undefined
  readonly file: string | undefined
  readonly rowGroup: number | undefined
  readonly column: string | undefined
  readonly hint: string | undefined
  readonly retryAfterMs: number | undefined
  /**
   * How often it has been tried, said by the layer that has given up: those above it do not try it again, or their
   * tries would multiply.
   */
  attempts: number | undefined
  /** The message without place and hint. */
  readonly reason: string

  constructor(code: ErrorCode, reason: string, context: ErrorContext = {}) {
    super(compose(reason, context), context.cause === undefined ? undefined : { cause: context.cause })
    Object.defineProperty(this, brand, { value: true })
    this.code = code
    this.reason = reason
    this.option = context.option
    this.file = context.file
    this.rowGroup = context.rowGroup
    this.column = context.column
    this.hint = context.hint
    this.retryAfterMs = context.retryAfterMs
    this.attempts = context.attempts
  }

  /** The same failure with more of its place known; what is known already stays. */
  within(context: ErrorContext): SluiceError {
    const known: ErrorContext = { ...context }
    for (const key of [...PLACE, 'retryAfterMs', 'attempts'] as const) {
      const value = this[key]
      if (value !== undefined) Object.assign(known, { [key]: value })
    }
    if (this.cause !== undefined) known.cause = this.cause
    const error = sluiceError(this.code, this.reason, known)
    if (this.stack !== undefined) error.stack = this.stack.replace(this.message, () => error.message)
    return error
  }

  /** A plain object that survives `postMessage`; {@link reviveError} makes it an error again. */
  toJSON(): SerializedError {
    const { name, message, code, reason, option, file, rowGroup, column, hint, attempts, stack } = this
    return { name, message, code, reason, option, file, rowGroup, column, hint, attempts, stack }
  }
}

/** A bundler gives a class that refers to itself another name, which stack traces would show. */
function sluiceError(code: ErrorCode, reason: string, context: ErrorContext): SluiceError {
  return new SluiceError(code, reason, context)
}

/** An error as data, for crossing threads and for reports. */
export interface SerializedError {
  name: string
  message: string
  stack: string | undefined
  code?: ErrorCode | undefined
  reason?: string | undefined
  option?: string | undefined
  file?: string | undefined
  rowGroup?: number | undefined
  column?: string | undefined
  hint?: string | undefined
  attempts?: number | undefined
}

/** Whether a value is an error of Sluice's, whichever copy of the library made it. */
export function isSluiceError(value: unknown): value is SluiceError {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true
}

/** Any thrown value as data. */
export function serializeError(error: unknown): SerializedError {
  if (isSluiceError(error)) return error.toJSON()
  if (error instanceof Error) return { name: error.name, message: error.message, stack: error.stack }
  return { name: 'Error', message: String(error), stack: undefined }
}

/** The error that {@link serializeError} made data of. */
export function reviveError(data: SerializedError): Error {
  if (data.code !== undefined) {
    const context: ErrorContext = {}
    for (const key of [...PLACE, 'attempts'] as const) {
      if (data[key] !== undefined) Object.assign(context, { [key]: data[key] })
    }
    const error = new SluiceError(data.code, data.reason ?? data.message, context)
    if (data.stack !== undefined) error.stack = data.stack
    return error
  }
  const error = new Error(data.message)
  error.name = data.name
  if (data.stack !== undefined) error.stack = data.stack
  return error
}

/** Turns anything thrown while reading a place into a typed error of that place. */
export function located(error: unknown, code: ErrorCode, context: ErrorContext): SluiceError {
  if (isSluiceError(error)) return error.within(context)
  const reason = error instanceof Error ? error.message : String(error)
  return new SluiceError(code, reason, { ...context, cause: error })
}

function compose(reason: string, { option, file, rowGroup, column, hint }: ErrorContext): string {
  const place = [
    option === undefined ? '' : `option '${option}'`,
    file === undefined ? '' : file,
    rowGroup === undefined ? '' : `row group ${rowGroup}`,
    column === undefined ? '' : `column '${column}'`,
  ].filter(part => part !== '')
  const where = place.length === 0 ? '' : `${place.join(', ')}: `
  return `${where}${reason}${hint === undefined ? '' : `${/[.!?]$/.test(reason) ? '' : '.'} ${hint}`}`
}
