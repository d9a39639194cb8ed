import { SluiceError } from '../core/errors.ts'
import { nearestName } from '../core/expressions/nearest.ts'
import { optionKindsOf, schemeOf } from './open.ts'
import { environmentNames, type OptionKind, valueOfText, wordsFor } from './options.ts'

/** Variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A store of a registry. */
export interface Entry {
  url: string
  options: Readonly<Record<string, unknown>>
  /** Those of the environment that say something of it. */
  variables: readonly string[]
}

const PREFIX = 'SLUICE_STORE_'

/** `SLUICE_STORE_<NAME>_<OPTION>`, split. */
interface Setting {
  variable: string
  store: string
  option: string
  text: string
}

/** The configured stores as the environment changes them, and those that are only there. An empty variable is none. */
export function overriddenBy(
  env: Environment,
  configured: ReadonlyMap<string, Entry>,
): ReadonlyMap<string, Entry> {
  const entries = new Map(configured)
  for (const [store, settings] of settingsOf(env, [...configured.keys()])) {
    const variables = settings.map(({ variable }) => variable)
    const known = entries.get(store)
    const url = settings.find(({ option }) => option === 'URL')?.text ?? known!.url
    const sameKind = known !== undefined && schemeOf(known.url) === schemeOf(url)
    let options = sameKind ? known.options : {}
    const names = environmentNames(optionKindsOf(url))
    for (const setting of settings) {
      if (setting.option === 'URL') continue
      const named = names.get(setting.option)
      if (named === undefined) throw unknownOption(setting, ['URL', ...names.keys()])
      options = withValue(options, named.path, convert(setting, named.kind))
    }
    entries.set(store, { url, options, variables })
  }
  return entries
}

/** By store. Of a variable that may be of two stores, it is the one with the longer name. */
function settingsOf(env: Environment, configured: readonly string[]): Map<string, Setting[]> {
  const names = new Map<string, string>()
  for (const name of configured) {
    const upper = upperCase(name)
    const other = names.get(upper)
    if (other !== undefined) {
      throw new SluiceError('invalid-argument', `'${other}' and '${name}' are one in the environment`, {
        option: 'stores',
        hint: 'Rename one of them.',
      })
    }
    names.set(upper, name)
  }
  const variables = Object.entries(env).flatMap(([variable, text = '']): [string, string][] =>
    variable.startsWith(PREFIX) && text !== '' ? [[variable, text]] : [],
  )
  const own = variables.flatMap(([variable]) => {
    const [, name] = /^([A-Z][A-Z0-9_]+)_URL$/.exec(variable.slice(PREFIX.length)) ?? []
    return name === undefined || split(variable, names) !== undefined ? [] : [name]
  })
  for (const name of own) names.set(name, name.toLowerCase())
  const settings = new Map<string, Setting[]>()
  for (const [variable, text] of variables) {
    const found = split(variable, names)
    if (found === undefined) throw unknownStore(variable, [...names.values()])
    const [store, option] = found
    settings.set(store, [...(settings.get(store) ?? []), { variable, store, option, text }])
  }
  return settings
}

function split(
  variable: string,
  names: ReadonlyMap<string, string>,
): [store: string, option: string] | undefined {
  const rest = variable.slice(PREFIX.length)
  let best: string | undefined
  for (const upper of names.keys()) {
    if (rest.startsWith(`${upper}_`) && upper.length > (best?.length ?? 0)) best = upper
  }
  return best === undefined ? undefined : [names.get(best)!, rest.slice(best.length + 1)]
}

function upperCase(name: string): string {
  return name.toUpperCase().replaceAll('-', '_')
}

function convert({ variable, text }: Setting, kind: OptionKind): unknown {
  const value = valueOfText(text, kind)
  if (value !== undefined) return value
  // What was wrong is not repeated: it may be a secret under the wrong name.
  throw new SluiceError('invalid-argument', `must be ${wordsFor(kind)}`, { option: variable })
}

function withValue(
  options: Readonly<Record<string, unknown>>,
  [name, ...path]: readonly string[],
  value: unknown,
): Readonly<Record<string, unknown>> {
  if (path.length === 0) return { ...options, [name!]: value }
  const inner = options[name!]
  const group = typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {}
  return { ...options, [name!]: withValue(group, path, value) }
}

function unknownOption({ variable, store, option }: Setting, names: readonly string[]): SluiceError {
  const nearest = nearestName(option, names)
  return new SluiceError('invalid-argument', `names no option of the store '${store}'`, {
    option: variable,
    hint: nearest === undefined ? `Options: ${names.join(', ')}.` : `Did you mean ${nearest}?`,
  })
}

function unknownStore(variable: string, names: readonly string[]): SluiceError {
  const known = names.length === 0 ? 'There are no stores' : `Stores: ${names.join(', ')}`
  return new SluiceError('invalid-argument', 'names no store', {
    option: variable,
    hint: `${known}; ${PREFIX}<NAME>_URL makes one.`,
  })
}
