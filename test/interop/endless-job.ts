/**
 * A job that overwrites a dataset and never ends, to be killed: writes many small files, then says so on stdout.
 *
 *     node endless-job.ts STORE PREFIX FILE
 */
import { basename, dirname } from 'node:path'
import { mapBatches, openStore, partitionedParquet, repartition, source } from '../../src/index.ts'

const [opened, prefix, file] = process.argv.slice(2) as [string, string, string]
const store = await openStore(opened)
let batches = 0
setInterval(() => {}, 1000)
await source(await openStore(dirname(file)), { files: basename(file) })
  .pipe(
    mapBatches(batch => {
      if (++batches < 6) return batch
      process.stdout.write('written\n')
      return new Promise(() => {})
    }),
    repartition({ by: ['k'], maxRowsPerFile: 100 }),
  )
  .to(partitionedParquet(prefix === '' ? store : store.child(prefix), { existing: 'overwrite' }))
