import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { SluiceError } from '../core/errors.ts'
import { nearestName } from '../core/expressions/nearest.ts'
import type { Output } from './output.ts'

export interface Option {
  /** What stands for the value in the help; without it the option is a flag. */
  value?: string
  /** May be given more than once. */
  multiple?: true
  short?: string
  help: string
}

/** A command of `sluice`, one file each. */
export interface Command {
  name: string
  /** One line for the list of commands. */
  summary: string
  /** Names of the arguments that it wants. */
  arguments: readonly string[]
  options: Readonly<Record<string, Option>>
  /** More for its `--help`. */
  details?: string
  run(call: Call): Promise<void>
}

/** A command line, read. */
export interface Call {
  /** One for each of the command's `arguments`. */
  arguments: readonly string[]
  options: Options
  output: Output
  signal: AbortSignal
}

/** The values of the options that were given. */
export class Options {
  readonly #values: Readonly<Record<string, unknown>>

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values
  }

  /** Undefined if neither `--name` nor `--no-name` was given. */
  flag(name: string): boolean | undefined {
    return this.#values[name] as boolean | undefined
  }

  text(name: string): string | undefined {
    return this.#values[name] as string | undefined
  }

  texts(name: string): string[] {
    return (this.#values[name] as string[] | undefined) ?? []
  }

  /** A whole number. */
  count(name: string): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (!Number.isSafeInteger(value)) throw usage(name, `must be a whole number, not '${text}'`)
    return value
  }

  /** One of a few words. */
  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const text = this.text(name)
    if (text === undefined || choices.includes(text as T)) return text as T | undefined
    throw usage(name, `must be one of ${choices.join(', ')}, not '${text}'`)
  }

  /** Column names between commas; one that has a comma or a quote in it is written `"so, as in CSV"`. */
  names(name: string): string[] | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const names = [...text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))(?=,|$)/g)]
    if (names.map(([matched]) => matched).join('') !== text) {
      throw usage(name, `'${text}' is no list of columns`, 'Write a,b,"c, with a comma".')
    }
    return names.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!)
  }
}

/** Library options from what was given: without the entries that are undefined. */
export function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> }
}

/** Wrong usage: exit code 2. */
export function usage(option: string, reason: string, hint?: string): SluiceError {
  return new SluiceError('invalid-argument', reason, {
    option: `--${option}`,
    ...(hint === undefined ? {} : { hint }),
  })
}

/** Reads a command's arguments and options; `undefined` where help was asked for. */
export function parseCall(
  command: Command,
  args: readonly string[],
): { arguments: string[]; options: Options } | undefined {
  const known: ParseArgsOptionsConfig = {}
  for (const [name, { value, multiple, short }] of Object.entries({ ...command.options, ...COMMON })) {
    known[name] = { type: value === undefined ? 'boolean' : 'string', multiple: multiple ?? false }
    if (short !== undefined) known[name].short = short
  }
  const { values, positionals } = parsed(known, args)
  if (values['help']) return undefined
  const hint = `See: sluice ${command.name} --help`
  if (positionals.length < command.arguments.length) {
    throw new SluiceError('invalid-argument', `${command.arguments[positionals.length]} is missing`, { hint })
  }
  if (positionals.length > command.arguments.length) {
    const surplus = positionals[command.arguments.length]
    throw new SluiceError('invalid-argument', `there is no place for the argument '${surplus}'`, { hint })
  }
  return { arguments: positionals, options: new Options(values) }
}

/** A command's `--help`. */
export function helpOf(command: Command): string {
  const { name, summary, arguments: places, details } = command
  const lines = Object.entries({ ...command.options, ...COMMON }).map(([option, { value, short, help }]) => {
    const head = `${short === undefined ? '' : `-${short}, `}--${option}${value === undefined ? '' : ` ${value}`}`
    return head.length < 28 ? `  ${head.padEnd(28)}${help}` : `  ${head}\n${' '.repeat(30)}${help}`
  })
  const usageLine = `Usage: sluice ${[name, ...places].join(' ')} [options]`
  return `${[usageLine, summary, ...(details === undefined ? [] : [details]), lines.join('\n')].join('\n\n')}\n`
}

const COMMON: Record<string, Option> = {
  verbose: { help: 'on failure, print the stack as well' },
  help: { short: 'h', help: 'print this' },
}

function parsed(options: ParseArgsOptionsConfig, args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, allowNegative: true })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
      const wanted = /'(-[^']*)'/.exec(message)?.[1] ?? ''
      const nearest = nearestName(wanted.replace(/^-+/, ''), Object.keys(options))
      throw new SluiceError('invalid-argument', `there is no option '${wanted}'`, {
        hint: nearest === undefined ? "'--help' lists the options." : `Did you mean '--${nearest}'?`,
      })
    }
    if (code?.startsWith('ERR_PARSE_ARGS_')) throw new SluiceError('invalid-argument', message)
    throw error
  }
}
