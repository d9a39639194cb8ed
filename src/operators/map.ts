import { DataType, Field, type RecordBatch } from 'apache-arrow'
import { SluiceError } from '../core/errors.ts'
import { type Columns, describe, type Operator } from '../core/operator.ts'
import { batchOf, inferFields, type Row, rowsOf } from '../core/rows.ts'

export interface MapOptions {
  /**
   * Types of the columns that come out. Without it, columns keep the type of the input column of their name, and
   * new ones get the type of their values in the first batch: float64 for numbers, utf8 for text, int64 for
   * bigints, bool, timestamp for dates.
   */
  schema?: Readonly<Record<string, DataType>>
}

/**
 * Replaces every row by what a function makes of it: an object, or null to drop it. Runs on the main thread, a
 * batch at a time, in order. Convenient, and much slower than expressions in `derive` and `filter`, which run on
 * columns: use those where they can say it, and where timestamps have to stay exact to the nanosecond (a row has
 * them as milliseconds). What the function throws ends the pipeline, with code `callback` and the thrown value as
 * `cause`.
 *
 * @example
 * source(store).pipe(map(row => ({ id: row.id, name: `${row.first} ${row.last}` })))
 */
export function map<In extends Columns, Out extends Row>(
  project: (row: In) => Out | null | undefined,
  options: MapOptions = {},
): Operator<In, Out> {
  if (typeof project !== 'function') {
    throw new SluiceError('invalid-argument', `must be a function, not ${String(project)}`, { option: 'map' })
  }
  const declared =
    options.schema === undefined
      ? undefined
      : Object.entries(options.schema).map(([name, type]) => declaredField(name, type))
  return describe(
    { op: 'custom', name: project.name === '' ? 'map' : `map ${project.name}` },
    async function* (input) {
      let fields = declared
      for await (const batch of input) {
        const rows = apply(project, batch)
        if (rows.length === 0) continue
        fields ??= inferFields(rows, batch.schema.fields)
        yield batchOf(rows, fields)
      }
    },
  )
}

function declaredField(name: string, type: DataType): Field {
  if (!(type instanceof DataType) || DataType.isDictionary(type)) {
    throw new SluiceError('invalid-argument', `must be an Arrow type of values, not ${String(type)}`, {
      option: 'schema',
      column: name,
    })
  }
  return new Field(name, type, true)
}

function apply<In extends Columns, Out extends Row>(
  project: (row: In) => Out | null | undefined,
  batch: RecordBatch,
): Row[] {
  const rows: Row[] = []
  for (const row of rowsOf(batch)) {
    let result: Out | null | undefined
    try {
      result = project(row as In)
    } catch (cause) {
      throw new SluiceError('callback', 'the function given to map() threw', { cause })
    }
    if (result === null || result === undefined) continue
    if (typeof result !== 'object') {
      throw new SluiceError('callback', `the function given to map() returned ${typeof result}`, {
        hint: 'Return an object whose members are the columns, or null to drop the row.',
      })
    }
    rows.push(result)
  }
  return rows
}
