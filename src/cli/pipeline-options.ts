import { derive, filter, type Operator, type Pipeline, project, repartition, source, sql } from '../index.ts'
import { given, type Option, type Options, usage } from './command.ts'
import { locate } from './location.ts'

/** How much of the machine a run takes. */
export const RESOURCES: Readonly<Record<string, Option>> = {
  memory: { value: 'SIZE', help: 'the memory budget, such as 512MiB (default: 1GiB)' },
  lanes: { value: 'N', help: 'worker threads (default: one a core)' },
}

/** How a run uses the machine; see {@link openSource}. */
export const EXECUTION: Readonly<Record<string, Option>> = {
  mode: { value: 'MODE', help: 'auto, streaming, fragment or batch (default: auto)' },
  ...RESOURCES,
}

/** Which rows and columns; see {@link select}. */
export const SELECTION: Readonly<Record<string, Option>> = {
  where: { value: 'SQL', help: `rows to keep: "dt >= '2025-01-01' and fare > 10"` },
  columns: { value: 'a,b', help: 'columns to keep, in this order (default: all)' },
}

export const DERIVATION: Readonly<Record<string, Option>> = {
  derive: { value: 'name=SQL', multiple: true, help: 'add a column, or replace one; may be repeated' },
}

/** How the rows are laid out in files; see {@link layout}. */
export const LAYOUT: Readonly<Record<string, Option>> = {
  'partition-by': { value: 'a,b', help: 'columns that become folders, outermost first' },
  'max-rows-per-file': { value: 'N', help: 'most rows of one file' },
  'target-file-size': { value: 'SIZE', help: 'about how large a file gets, such as 128MB' },
}

/** The source that SRC and the {@link EXECUTION} options stand for. */
export async function openSource(src: string, options: Options): Promise<Pipeline> {
  const { store, files } = await locate(src)
  return source(
    store,
    given({
      files,
      mode: options.choice('mode', ['auto', 'streaming', 'fragment', 'batch']),
      memory: options.text('memory'),
      lanes: options.count('lanes'),
    }),
  )
}

/** The operators of the options, in this order: rows, new columns, columns. */
export function select(options: Options): Operator[] {
  const where = options.text('where')
  const columns = options.names('columns')
  const derived = options.texts('derive').map(definition => {
    const equals = definition.indexOf('=')
    if (equals < 0) throw usage('derive', `'${definition}' has no '='`, 'Write name=SQL.')
    return [definition.slice(0, equals).trim(), sql(definition.slice(equals + 1))] as const
  })
  return [
    ...(where === undefined ? [] : [filter(sql(where))]),
    ...(derived.length === 0 ? [] : [derive(Object.fromEntries(derived))]),
    ...(columns === undefined ? [] : [project(...columns)]),
  ]
}

/** The `repartition` of the options. */
export function layout(options: Options): Operator {
  return repartition(
    given({
      by: options.names('partition-by'),
      maxRowsPerFile: options.count('max-rows-per-file'),
      targetFileBytes: options.text('target-file-size'),
    }),
  )
}
