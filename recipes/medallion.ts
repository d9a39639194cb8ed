/**
 * A first medallion step: raw flights land in bronze as they are; silver holds them cleaned, typed and
 * partitioned by day. Re-running a month replaces that month's days and touches nothing else.
 *
 *     node --import tsx recipes/medallion.ts [folder]
 */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { col, derive, filter, openStore, partitionedParquet, project, repartition, source, sql } from 'sluice'

const folder = process.argv[2] ?? join('quickstart', 'medallion')
const vega = join(dirname(fileURLToPath(import.meta.resolve('vega-datasets'))), '..', 'data')
const lake = await openStore(folder)
const bronze = lake.child('bronze/flights')
const silver = lake.child('silver/flights')

// Bronze: everything, as it came, by month of arrival.
const landed = await source(await openStore(vega), { files: 'flights-3m.parquet' })
  .pipe(derive({ month: sql("strftime(date, '%Y-%m')") }), repartition({ by: ['month'] }))
  .to(partitionedParquet(bronze, { existing: 'overwrite' }))
console.log(`bronze: ${landed.rowsOut} rows in ${landed.partitions} months`)

/** Cleans one month of bronze into silver, by day. */
async function refine(month: string): Promise<void> {
  const report = await source(bronze)
    .pipe(
      // Reads the files of this month only: the key is in the path.
      filter(col('month').eq(month)),
      filter(sql('delay is not null and distance > 0 and origin <> destination')),
      derive({
        day: sql('cast(date as date)'),
        haul: sql("case when distance >= 1000 then 'long' else 'short' end"),
      }),
      project('date', 'origin', 'destination', 'delay', 'distance', 'haul', 'day'),
      repartition({ by: ['day'] }),
    )
    .to(partitionedParquet(silver, { existing: 'overwrite-partitions' }))
  console.log(
    `silver: ${month}: ${report.rowsIn} rows in, ${report.rowsOut} out, ${report.partitions} days, ${report.fragments.total - report.fragments.pruned} of ${report.fragments.total} files read`,
  )
}

await refine('2001-01')
await refine('2001-02')
// Once more: the same days are replaced, not doubled.
await refine('2001-02')

const duckdb = await (await DuckDBInstance.create()).connect()
const ask = async (text: string) => (await duckdb.runAndReadAll(text)).getRowsJS().map(String).join(' ')
const found = await ask(
  `select count(*), count(distinct day) from read_parquet('${join(folder, 'silver/flights/**/*.parquet')}', hive_partitioning = true)`,
)
const expected = await ask(
  `select count(*), count(distinct date::date) from read_parquet('${join(vega, 'flights-3m.parquet')}')
   where delay is not null and distance > 0 and origin <> destination and date < '2001-03-01'`,
)
console.log(`DuckDB: silver has ${found} (rows, days), expects ${expected}`)
if (found !== expected) throw new Error('the counts differ')
