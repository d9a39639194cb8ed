/** Saves what was decoded, for the harness to check. Loaded after the measurement: it is not the contestant's. */
import { basename, dirname } from 'node:path'
import { DataType, Int64, makeData, RecordBatch, Struct, vectorFromArray } from 'apache-arrow'
import { fromBatches, openStore, parquetFile, project, source } from '../../dist/index.js'
import { task } from './support.mjs'
import { totals } from './totals.mjs'

/** Saves decoded batches. */
export async function saveBatches(batches) {
  const store = await openStore(task.out)
  await fromBatches(batches[0].schema, batches).to(parquetFile(store, 'decoded.parquet'))
}

/** Saves decoded columns, `parts` being a list of name → values, with the types that Sluice has for them. */
export async function saveColumns(parts) {
  const [data] = task.data
  const all = source(await openStore(dirname(data)), { files: `${basename(data)}/*.parquet` })
  const { aggregate, by, columns } = task
  const wanted = aggregate ? all.pipe(totals(by)) : columns === null ? all : all.pipe(project(...columns))
  const schema = await wanted.schema()
  const batches = parts.map(part => {
    const children = schema.fields.map(({ name, type }) => columnOf(part[name], type))
    const length = children[0].length
    return new RecordBatch(
      schema,
      makeData({ type: new Struct(schema.fields), length, nullCount: 0, children }),
    )
  })
  await saveBatches(batches)
}

/** Values as Arrow data; times are given as whole numbers of the type's unit, which Arrow's own builder is not. */
function columnOf(values, type) {
  const nullable = Array.from(values, value => value ?? null)
  if (!DataType.isTimestamp(type)) return vectorFromArray(nullable, type).data[0]
  const numbers = vectorFromArray(nullable, new Int64()).data[0]
  const { length, nullCount, nullBitmap } = numbers
  return makeData({ type, length, nullCount, nullBitmap, data: numbers.values })
}
