/**
 * The main job on real data: 3,000,000 flights, filtered, with two new columns, partitioned by month.
 *
 *     npm run quickstart
 */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { col, derive, filter, openStore, partitionedParquet, repartition, source, sql } from 'sluice'

// The data comes with a package: written by Polars, zstd, 11 row groups.
const vega = dirname(fileURLToPath(import.meta.resolve('vega-datasets')))
const flights = join(vega, '..', 'data', 'flights-3m.parquet')
const input = await openStore(dirname(flights))
const output = await openStore('quickstart')

const report = await source(input, { files: 'flights-3m.parquet' })
  .pipe(
    filter(col('distance').gt(100).and(col('delay').isNotNull())),
    derive({ month: sql("strftime(date, '%Y-%m')"), late: col('delay').gt(15) }),
    repartition({ by: ['month'] }),
  )
  .to(partitionedParquet(output.child('flights'), { existing: 'overwrite' }), { progress: true })

const number = (value: number, digits = 0) => value.toLocaleString('en', { maximumFractionDigits: digits })
const megabytes = (bytes: number) => `${number(bytes / 1e6, 1)} MB`
console.log(`rows         ${number(report.rowsIn)} in, ${number(report.rowsOut)} out`)
console.log(`files        ${number(report.files)} in ${number(report.partitions)} partitions`)
console.log(`bytes        ${megabytes(report.bytesRead)} read, ${megabytes(report.bytesWritten)} written`)
console.log(`time         ${number(report.seconds, 2)} s, ${number(report.rowsIn / report.seconds)} rows/s`)
console.log(
  `memory       ${megabytes(report.budgetHighWaterBytes)} of the budget's ${megabytes(report.memoryBytes)}, ${megabytes(report.peakRssBytes)} peak of the process`,
)
console.log(`mode         ${report.mode}, ${report.lanes} lanes`)

// Another engine reads the result and counts.
const duckdb = await (await DuckDBInstance.create()).connect()
const count = async (text: string) => Number((await duckdb.runAndReadAll(text)).getRows()[0]![0])
const files = join('quickstart', 'flights', '**', '*.parquet')
const found = await count(`select count(*) from read_parquet('${files}', hive_partitioning = true)`)
const expected = await count(
  `select count(*) from read_parquet('${flights}') where distance > 100 and delay is not null`,
)
console.log(`DuckDB       reads ${number(found)} rows from quickstart/flights, expects ${number(expected)}`)
if (found !== expected || found !== report.rowsOut) throw new Error('the counts differ')
