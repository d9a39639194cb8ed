import { resolve } from 'node:path'
import { isSluiceError, SluiceError } from '../core/errors.ts'
import { nearestName } from '../core/expressions/nearest.ts'
import { showAs } from '../core/inspect.ts'
import { checkOptions, isScheme, type OpenStoreOptions, openStore, optionKindsOf, schemeOf } from './open.ts'
import { maskedOptions, maskedUrl, type OptionKind, type OptionKinds, valueOfText } from './options.ts'
import { type Entry, type Environment, overriddenBy } from './registry-environment.ts'
import type { Store } from './store.ts'

/** A store to be: its URL, and the options that {@link openStore} takes with it. */
export type StoreConfig<Url extends string = string> = { url: Url } & OpenStoreOptions<Url>

/** Stores by name. */
export interface Config<Name extends string = string> {
  /** A name is two letters, digits, `_` or `-` at least and begins with a letter; it is no scheme of URLs. */
  stores: Readonly<Record<Name, StoreConfig>>
}

/**
 * Checks the types of a configuration: the default export of `sluice.config.ts`. What it gives is shown, by
 * `console.log` and in JSON, without secrets.
 *
 * @example
 * ```ts
 * export default defineConfig({
 *   stores: {
 *     bronze: { url: 's3://my-lake/bronze', region: 'eu-central-1' },
 *     scratch: { url: './scratch', durability: 'none' },
 *   },
 * })
 * ```
 */
export function defineConfig<const Urls extends Readonly<Record<string, string>>>(config: {
  stores: { readonly [Name in keyof Urls]: StoreConfig<Urls[Name]> }
}): Config<keyof Urls & string> {
  return hiding(config as Config<keyof Urls & string>)
}

export interface RegistryOptions {
  /** Where `SLUICE_STORE_<NAME>_<OPTION>` is looked up. @default process.env */
  env?: Environment | undefined
  /** What relative paths of the configuration start from. @default the working directory */
  folder?: string | undefined
}

/** A store of a registry as it may be shown. */
export interface StoreDescription {
  name: string
  url: string
  /** Secrets are `***`. */
  options: Record<string, unknown>
  /** The variables of the environment that say something of it. */
  variables: readonly string[]
}

/** Named stores, each opened when it is first asked for. Shown without secrets. */
export class Registry<Name extends string = string> {
  readonly names: readonly Name[]
  readonly #entries: ReadonlyMap<string, Entry>
  readonly #opened = new Map<string, Promise<Store>>()

  /** See {@link createRegistry}. */
  constructor(entries: ReadonlyMap<string, Entry>) {
    this.#entries = entries
    this.names = [...entries.keys()] as Name[]
  }

  /** The store of that name: opened once, and shared. One that could not be opened is tried again. */
  store(name: Name): Promise<Store> {
    let opening = this.#opened.get(name)
    if (opening === undefined) {
      opening = this.#open(name)
      this.#opened.set(name, opening)
      opening.catch(() => this.#opened.delete(name))
    }
    return opening
  }

  /** What is known of each store, without secrets. */
  describe(): StoreDescription[] {
    return Array.from(this.#entries, ([name, { url, options, variables }]) => ({
      ...{ name, url: maskedUrl(url), options: maskedOptions(options, optionKindsOf(url)), variables },
    }))
  }

  async #open(name: string): Promise<Store> {
    const entry = this.#entries.get(name)
    if (entry === undefined) {
      const nearest = nearestName(name, this.names)
      const known = this.names.length === 0 ? 'There are none.' : `There are: ${this.names.join(', ')}.`
      throw new SluiceError('invalid-argument', `there is no store '${name}'`, {
        hint: nearest === undefined ? known : `Did you mean '${nearest}'?`,
      })
    }
    const { url, options } = entry
    // SDKs write into what they are given.
    return ofStore(name, () => openStore(url, copied(options)))
  }
}

showAs(Registry.prototype, registry => ({ stores: registry.describe() }), 'Registry')

/**
 * Named stores from a configuration: an object, or what a file has (`loadConfig`). The environment goes before it:
 * `SLUICE_STORE_<NAME>_<OPTION>` sets an option, and `SLUICE_STORE_<NAME>_URL` the URL or a store of its own. A URL of
 * the environment that is of another kind of store than the configured one comes without the configured options.
 *
 * Fails with `invalid-argument`, and opens nothing, if a name, an option or a variable is not known.
 *
 * @example
 * ```ts
 * const stores = createRegistry({ stores: { bronze: { url: 's3://my-lake/bronze', region: 'eu-central-1' } } })
 * const bronze = await stores.store('bronze')
 * ```
 */
export function createRegistry<const Urls extends Readonly<Record<string, string>>>(
  config: { stores: { readonly [Name in keyof Urls]: StoreConfig<Urls[Name]> } },
  { env = process.env, folder = process.cwd() }: RegistryOptions = {},
): Registry<keyof Urls & string> {
  return registryOf(config, { env, folder })
}

/** The same of what nobody has checked. */
export function registryOf<Name extends string>(
  config: unknown,
  { env, folder }: { env: Environment; folder: string },
): Registry<Name> {
  const configured = new Map(
    Object.entries(checkedStores(config)).map(([name, { url, ...options }]): [string, Entry] => {
      checkName(name)
      return [name, { url: schemeOf(url) === undefined ? resolve(folder, url) : url, options, variables: [] }]
    }),
  )
  const entries = new Map<string, Entry>()
  for (const [name, { url, options, variables }] of overriddenBy(env, configured)) {
    checkName(name)
    const kinds = ofStore(name, () => checkOptions(url, options))
    entries.set(name, { url, options: revived(options, kinds), variables })
  }
  return new Registry(entries)
}

function checkedStores(config: unknown): Record<string, { url: string }> {
  const { stores, ...more } = isObject(config) ? config : {}
  if (!isObject(stores)) {
    throw invalid('config', 'must have stores', "Write { stores: { bronze: { url: 's3://…' } } }.")
  }
  for (const name of Object.keys(more))
    throw invalid(name, 'is nothing that a configuration has', 'It has: stores.')
  for (const [name, store] of Object.entries(stores)) {
    if (isObject(store) && typeof store['url'] === 'string' && store['url'] !== '') continue
    throw invalid(`stores.${name}.url`, 'must be a URL or a path')
  }
  return stores as Record<string, { url: string }>
}

/** A name goes before a colon in locations, and into the names of variables. */
function checkName(name: string): void {
  if (!/^[a-z][a-z0-9_-]+$/i.test(name)) {
    const rule = "Names are two letters, digits, '_' or '-' at least, and begin with a letter."
    throw invalid('stores', `${JSON.stringify(name)} is no name of a store`, rule)
  }
  if (isScheme(`${name.toLowerCase()}:`)) {
    throw invalid('stores', `'${name}' is the scheme of URLs`, 'Take another name.')
  }
}

/** Says which store an option is of. */
function ofStore<T>(name: string, work: () => Promise<T>): Promise<T>
function ofStore<T>(name: string, work: () => T): T
function ofStore(name: string, work: () => unknown): unknown {
  const named = (error: unknown): never => {
    if (!isSluiceError(error) || error.option === undefined) throw error
    const { code, reason, file, hint, cause, option } = error
    throw new SluiceError(code, reason, {
      option: `stores.${name}.${option}`,
      ...(file === undefined ? {} : { file }),
      ...(hint === undefined ? {} : { hint }),
      ...(cause === undefined ? {} : { cause }),
    })
  }
  try {
    const result = work()
    return result instanceof Promise ? result.catch(named) : result
  } catch (error) {
    return named(error)
  }
}

/** A copy. JSON has texts where options are bytes and times. */
function revived(
  options: object,
  kinds: Readonly<Record<string, OptionKind>>,
): Readonly<Record<string, unknown>> {
  const entries = Object.entries(options).map(([name, value]): [string, unknown] => {
    const kind = kinds[name]!
    if (typeof kind === 'object') return [name, isObject(value) ? revived(value, kind.members) : value]
    const isText = typeof value === 'string' && (kind === 'bytes' || kind === 'date')
    return [name, isText ? (valueOfText(value, kind) ?? value) : value]
  })
  return Object.fromEntries(entries)
}

/** A copy of a configuration that shows no secrets. */
function hiding<Name extends string>(config: Config<Name>): Config<Name> {
  if (!isObject(config) || !isObject(config.stores)) return config
  const stores = Object.entries(config.stores).map(([name, store]): [string, unknown] => {
    if (!isObject(store)) return [name, store]
    const kinds: Readonly<Record<string, OptionKind>> = { url: 'text', ...kindsOf(String(store['url'])) }
    const options = Object.entries(store).map(([option, value]): [string, unknown] => {
      const kind = kinds[option]
      if (!isObject(value) || typeof kind !== 'object') return [option, value]
      return [option, showAs({ ...value }, () => maskedOptions(value, kind.members))]
    })
    return [name, showAs(Object.fromEntries(options), () => maskedOptions(store, kinds))]
  })
  return { ...config, stores: Object.fromEntries(stores) as Config<Name>['stores'] }
}

function kindsOf(url: string): OptionKinds {
  try {
    return optionKindsOf(url)
  } catch {
    return {}
  }
}

function copied(options: Entry['options']): Entry['options'] {
  const entries = Object.entries(options).map(([name, value]) => [
    name,
    isObject(value) ? copied(value) : value,
  ])
  return Object.fromEntries(entries)
}

/** An object that was written as `{ … }`, or read from JSON. */
function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function invalid(option: string, reason: string, hint?: string): SluiceError {
  return new SluiceError('invalid-argument', reason, { option, ...(hint === undefined ? {} : { hint }) })
}
