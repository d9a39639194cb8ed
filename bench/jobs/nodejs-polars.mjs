/** nodejs-polars: `node bench/jobs/nodejs-polars.mjs TASK`. It cannot write partitions. */
import { join } from 'node:path'
import pl from 'nodejs-polars'
import { measure, task, versionOf } from './support.mjs'

await measure(versionOf('nodejs-polars'), async () => {
  const { where, columns, by } = task
  const [first, ...more] = task.data.map(folder => pl.scanParquet(join(folder, '*.parquet')))
  let frame = more.length === 0 ? first : pl.concat([first, ...more])
  if (where !== null) {
    const column = pl.col(where.column)
    frame = frame.filter(
      where.to === null ? column.gtEq(where.from) : column.gtEq(where.from).and(column.ltEq(where.to)),
    )
  }
  if (task.rename !== null) frame = frame.rename({ [task.rename.from]: task.rename.to })
  if (task.drop !== null) frame = frame.drop(task.drop)
  if (columns !== null) frame = frame.select(...columns.map(name => pl.col(name)))
  if (task.aggregate) {
    const amount = pl.col('amount')
    frame = frame
      .groupBy(by)
      .agg(
        amount.count().alias('n'),
        amount.sum().alias('total'),
        amount.min().alias('least'),
        amount.max().alias('most'),
      )
  }
  if (task.kind === 'rewrite') {
    const sink = frame.sinkParquet(join(task.out, 'data.parquet'), {
      compression: 'zstd',
      compressionLevel: 3,
    })
    await sink.collect()
    return {}
  }
  const table = await frame.collect()
  return { rows: table.height, save: async () => table.writeParquet(join(task.out, 'decoded.parquet')) }
})
