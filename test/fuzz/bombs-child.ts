/** Reads the bombs one after another, in little memory, and says what each ended in and what it cost. For bombs.test.ts. */
import { isSluiceError, openStore, source } from '../../src/index.ts'
import { BOMBS } from './bombs.ts'
import { MEMORY } from './run-case.ts'

export interface BombEnd {
  name: string
  end: string
  message: string
  /** Bytes that the process grew by. */
  grown: number
}

/** More rows than anyone who reads them needs to be convinced. */
const ENOUGH = 10_000_000
const store = await openStore('memory:')
for (const mode of ['streaming', 'batch'] as const) {
  for (const { name, make } of BOMBS) {
    await store.put('bomb.parquet', make())
    const before = peak()
    const end: BombEnd = { name: `${name}, mode ${mode}`, end: 'rows', message: '', grown: 0 }
    try {
      let rows = 0
      for await (const batch of source(store, { files: 'bomb.parquet', memory: MEMORY, mode })) {
        if ((rows += batch.numRows) > ENOUGH) break
      }
      end.message = `${rows} rows`
    } catch (error) {
      Object.assign(
        end,
        isSluiceError(error)
          ? { end: error.code, message: error.message }
          : { end: 'untyped', message: String(error) },
      )
    }
    process.send!({ ...end, grown: peak() - before })
  }
}

function peak(): number {
  return process.resourceUsage().maxRSS * 1024
}
