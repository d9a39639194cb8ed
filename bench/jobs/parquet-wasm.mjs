/** parquet-wasm: `node bench/jobs/parquet-wasm.mjs TASK`. One thread; decodes whole files, rewrites batch by batch. */
import { createWriteStream, openAsBlob } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { tableFromIPC } from 'apache-arrow'
import {
  Compression,
  ParquetFile,
  readParquet,
  transformParquetStream,
  WriterPropertiesBuilder,
} from 'parquet-wasm/node'
import { files, measure, task, versionOf } from './support.mjs'

const batchSize = 65_536

await measure(versionOf('parquet-wasm'), async () => {
  if (task.kind === 'rewrite') {
    const properties = new WriterPropertiesBuilder().setCompression(Compression.ZSTD).build()
    const written = await transformParquetStream(ReadableStream.from(batchesOf(files)), properties)
    await pipeline(written, createWriteStream(join(task.out, 'data.parquet')))
    return {}
  }
  const batches = []
  let rows = 0
  for (const file of files) {
    const decoded = readParquet(await readFile(file), { batchSize })
    const table = tableFromIPC(decoded.intoIPCStream())
    rows += table.numRows
    if (task.kind === 'decode' || task.check) batches.push(...table.batches)
  }
  return { rows, save: async () => (await import('./save.mjs')).saveBatches(batches) }
})

async function* batchesOf(paths) {
  for (const path of paths) {
    const file = await ParquetFile.fromFile(await openAsBlob(path))
    const columns = task.columns ?? columnsOf(file).filter(name => name !== task.drop)
    yield* await file.stream({ columns, batchSize })
    file.free()
  }
}

/** Of flat files. */
function columnsOf(file) {
  const group = file.metadata().rowGroup(0)
  return Array.from({ length: group.numColumns() }, (_, i) => group.column(i).columnPath()[0])
}
