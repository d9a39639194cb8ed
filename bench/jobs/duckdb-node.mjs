/** @duckdb/node-api: `node bench/jobs/duckdb-node.mjs TASK`. The statement comes with the task. */
import { DuckDBInstance, DuckDBTimestampValue } from '@duckdb/node-api'
import { measure, task, versionOf } from './support.mjs'

await measure(versionOf('@duckdb/node-api'), async () => {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(task.threads),
    preserve_insertion_order: 'false',
  })
  const connection = await instance.connect()
  if (task.kind === 'rewrite') {
    await connection.run(task.statement)
    return {}
  }
  const result = await connection.stream(task.statement)
  const kept = []
  let rows = 0
  for (let chunk = await result.fetchChunk(); chunk?.rowCount > 0; chunk = await result.fetchChunk()) {
    rows += chunk.rowCount
    if (task.kind === 'decode' || task.check) kept.push(chunk)
  }
  const names = result.columnNames()
  return {
    rows,
    save: async () =>
      (await import('./save.mjs')).saveColumns(kept.map(chunk => plain(chunk.getColumnsObject(names)))),
  }
})

/** Times as microseconds. */
function plain(columns) {
  const number = value => (value instanceof DuckDBTimestampValue ? value.micros : value)
  return Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values.map(number)]))
}
