import { SluiceError } from '../core/errors.ts'
import { nearestName } from '../core/expressions/nearest.ts'

/**
 * What an option is: how it is written in the environment and in JSON, and whether it may be shown. Only `text`,
 * `number` and `boolean` are ever shown; of a text, what may be a password in a URL is not.
 */
export type OptionKind =
  | 'text'
  | 'number'
  | 'boolean'
  /** Text. */
  | 'secret'
  /** Bytes; as text in base64. */
  | 'bytes'
  /** A time; as text in ISO 8601. */
  | 'date'
  /** Texts by name; as text in JSON. */
  | 'secrets'
  /** A function or an object that no text stands for. */
  | 'code'
  | OptionGroup

/** An option that is an object with options of its own. */
export interface OptionGroup {
  /** What it can be instead; `off` is `false`. */
  itself?: 'text' | 'off'
  members: Readonly<Record<string, OptionKind>>
}

/** The kind of each option of an interface: a driver's list of its options. */
export type OptionKinds<Options extends object = object> = Readonly<Record<keyof Options, OptionKind>>

/** Takes options for those of one kind of store once their names are known to be. */
export function optionsOf<Options extends object>(
  options: object,
  kinds: OptionKinds<Options>,
  stores: string,
): Options {
  for (const [name, value] of Object.entries(options)) {
    if (Object.hasOwn(kinds, name) || value === undefined) continue
    const names = Object.keys(kinds)
    const nearest = nearestName(name, names)
    const theirs = names.length === 0 ? 'They have none.' : `Theirs are: ${names.join(', ')}.`
    throw new SluiceError('invalid-argument', `is no option of ${stores}`, {
      option: name,
      hint: nearest === undefined ? theirs : `Did you mean '${nearest}'?`,
    })
  }
  return options as Options
}

/** Options, and members of them, as the environment names them: `kmsKeyId` of `encryption` is `KMS_KEY_ID`. */
export function environmentNames(kinds: OptionKinds): Map<string, { path: string[]; kind: OptionKind }> {
  const names = new Map<string, { path: string[]; kind: OptionKind }>()
  const add = (members: Readonly<Record<string, OptionKind>>, above: readonly string[]): void => {
    for (const [name, kind] of Object.entries(members)) {
      const path = [...above, name]
      if (kind === 'code') continue
      if (typeof kind !== 'object' || kind.itself !== undefined) {
        names.set(name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase(), { path, kind })
      }
      if (typeof kind === 'object') add(kind.members, path)
    }
  }
  add(kinds, [])
  return names
}

/** The value that a text stands for; `undefined` if it stands for none. */
export function valueOfText(text: string, kind: OptionKind): unknown {
  if (typeof kind === 'object') {
    if (kind.itself === 'text') return text
    return kind.itself === 'off' && text === 'false' ? false : undefined
  }
  switch (kind) {
    case 'text':
    case 'secret':
      return text
    case 'number':
      return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : undefined
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined
    case 'bytes':
      return /^(?:[A-Za-z0-9+/]{4})+$|^(?:[A-Za-z0-9+/]{4})*[A-Za-z0-9+/]{2,3}=*$/.test(text)
        ? Uint8Array.from(Buffer.from(text, 'base64'))
        : undefined
    case 'date':
      return Number.isNaN(Date.parse(text)) ? undefined : new Date(text)
    case 'secrets':
      return textsOf(text)
    case 'code':
      return undefined
  }
}

/** What stands for a text in messages. */
export function wordsFor(kind: OptionKind): string {
  if (typeof kind === 'object') return kind.itself === 'off' ? "'false'" : 'text'
  const words = {
    ...{ text: 'text', secret: 'text', number: 'a number', boolean: "'true' or 'false'", bytes: 'base64' },
    ...{ date: 'a time as in ISO 8601', secrets: 'a JSON object of texts', code: 'a value in code' },
  }
  return words[kind]
}

/** What stands for a secret wherever one would be shown. */
export const MASKED = '***'

/** Options as they may be shown. */
export function maskedOptions(options: object, kinds: OptionKinds): Record<string, unknown> {
  const members: Readonly<Record<string, OptionKind>> = kinds
  const shown = Object.entries(options).flatMap(([name, value]): [string, unknown][] =>
    value === undefined
      ? []
      : [[name, masked(value, Object.hasOwn(members, name) ? members[name]! : 'code')]],
  )
  return Object.fromEntries(shown)
}

function masked(value: unknown, kind: OptionKind): unknown {
  if (typeof kind === 'object') {
    if (typeof value === 'object' && value !== null) return maskedOptions(value, kind.members)
    if (value === false) return value
    return kind.itself === 'text' && typeof value === 'string' ? maskedUrl(value) : MASKED
  }
  if (kind === 'text' && typeof value === 'string') return maskedUrl(value)
  if (kind === 'text' && typeof value === 'number') return value
  return typeof value === kind ? value : MASKED
}

/** A URL without what may be secret in it: who is named before the `@`, and what is behind the `?`. */
export function maskedUrl(text: string): string {
  const [, scheme = '', authority = '', rest = ''] =
    /^([a-z][a-z0-9+.-]*:\/\/)?([^/?]*)(.*)$/is.exec(text) ?? []
  const at = authority.lastIndexOf('@')
  const who = authority.slice(0, Math.max(at, 0))
  // A container stands there in `abfss://container@account`, and in a path anything may.
  const harmless = !who.includes(':') && (scheme === '' || /^(?:abfs|wasb)s?:/i.test(scheme))
  const host = harmless ? authority : `${MASKED}${authority.slice(at)}`
  return scheme + (at < 0 ? authority : host) + rest.replace(/\?.+$/s, `?${MASKED}`)
}

function textsOf(text: string): Record<string, string> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    const texts = Object.entries(value)
    return texts.every(([, item]) => typeof item === 'string') ? Object.fromEntries(texts) : undefined
  } catch {
    return undefined
  }
}
