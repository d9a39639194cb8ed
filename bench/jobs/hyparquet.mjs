/** hyparquet with hyparquet-compressors: `node bench/jobs/hyparquet.mjs TASK`. One thread, JavaScript values. */
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { files, measure, task, versionOf } from './support.mjs'

// Its own parser gives a Date, which has milliseconds only.
const parsers = { timestampFromMicroseconds: micros => micros }

await measure(versionOf('hyparquet'), async () => {
  const { where } = task
  const columns = task.columns ?? undefined
  const parts = []
  let rows = 0
  for (const path of files) {
    const file = await asyncBufferFromFile(path)
    const metadata = await parquetMetadataAsync(file)
    const options = { file, metadata, columns, compressors, parsers }
    if (where !== null) {
      const found = await parquetReadObjects({
        ...options,
        usePageIndex: true,
        filter: { [where.column]: { $gte: where.from, $lte: where.to } },
      })
      rows += found.length
      if (found.length > 0) parts.push(transposed(found))
      continue
    }
    const columnar = {}
    await parquetRead({
      ...options,
      onChunk: ({ columnName, columnData, rowStart }) => {
        columnar[columnName] ??= []
        columnar[columnName].push([rowStart, columnData])
      },
    })
    rows += Number(metadata.num_rows)
    if (task.kind === 'decode' || task.check) parts.push(columnar)
  }
  return {
    rows,
    save: async () => (await import('./save.mjs')).saveColumns(where === null ? parts.map(joined) : parts),
  }
})

function transposed(found) {
  return Object.fromEntries(Object.keys(found[0]).map(name => [name, found.map(row => row[name])]))
}

/** A file's chunks as one array a column. */
function joined(columnar) {
  const inOrder = chunks => chunks.sort(([a], [b]) => a - b).flatMap(([, values]) => Array.from(values))
  return Object.fromEntries(Object.entries(columnar).map(([name, chunks]) => [name, inOrder(chunks)]))
}
