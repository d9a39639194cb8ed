/** The job of `s3.test.ts`, in a process of its own; the environment says where the server is. */
import { col, filter, openStore, partitionedParquet, repartition, source } from '../../src/index.ts'

const report = await source(await openStore('s3://many'), { files: '*.parquet', lanes: 1 })
  .pipe(filter(col('distance').gt(2000)), repartition({ by: ['origin'] }))
  .to(partitionedParquet((await openStore('s3://killed')).child('flights'), { taskBytes: 1 }), {
    job: 'nightly',
  })
console.log(report.rowsOut)
