/** Has a lane run out of its heap in the middle of its work, and then reads on. For lane-death.test.ts. */
import type { Worker } from 'node:worker_threads'
import { isSluiceError, openStore, source } from '../../src/index.ts'

const store = await openStore(process.argv[2]!)
const read = async (): Promise<number> => {
  let rows = 0
  for await (const batch of source(store, { files: 'a.parquet', memory: '128MiB', lanes: 2 }))
    rows += batch.numRows
  return rows
}

let filled = false
/**
 * Has a lane keep files in mind, one after another, until its heap is full, instead of what it is asked for. All at once
 * they would exceed what Node reserves for a thread's last breath, and end the process.
 */
const fill = (worker: Worker): void => {
  const post = worker.postMessage.bind(worker)
  const name = Array.from({ length: 60_000 }, (_, i) => i / 3)
  let id = -1
  const more = (): void => post({ kind: 'call', id: --id, method: 'addFile', args: [{ id, name }] })
  worker.postMessage = (message: { method?: string }, transfer) => {
    if (message.method !== 'next' || filled) return post(message, transfer as never)
    filled = true
    worker.on('message', (answer: { id: number }) => {
      if (answer.id === id) more()
    })
    more()
  }
}

process.on('worker', fill)
try {
  console.log('read', await read())
} catch (error) {
  console.log(isSluiceError(error) ? `${error.code}: ${error.message}` : error)
}
process.off('worker', fill)
console.log(`then ${await read()} rows`)
