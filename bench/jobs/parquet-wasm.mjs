/** parquet-wasm: `node bench/jobs/parquet-wasm.mjs TASK`. One thread; reads whole files. */
import { readFile } from 'node:fs/promises'
import { tableFromIPC } from 'apache-arrow'
import { readParquet } from 'parquet-wasm/node'
import { files, measure, task, versionOf } from './support.mjs'

await measure(versionOf('parquet-wasm'), async () => {
  const batches = []
  let rows = 0
  for (const file of files) {
    const decoded = readParquet(await readFile(file), { batchSize: 65_536 })
    const table = tableFromIPC(decoded.intoIPCStream())
    rows += table.numRows
    if (task.kind === 'decode' || task.check) batches.push(...table.batches)
  }
  return { rows, save: async () => (await import('./save.mjs')).saveBatches(batches) }
})
