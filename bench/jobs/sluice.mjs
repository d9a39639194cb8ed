/** Sluice, as built: `node bench/jobs/sluice.mjs TASK`. */
import { readFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import {
  col,
  compact,
  concat,
  derive,
  drop,
  filter,
  openStore,
  partitionedParquet,
  project,
  rename,
  repartition,
  source,
  sql,
} from '../../dist/index.js'
import { measure, task } from './support.mjs'
import { totals } from './totals.mjs'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
const DAYS = { day: 'cast(ts as date)', month: "cast(date_trunc('month', ts) as date)" }

await measure(version, async () => {
  const { mode, memory, threads } = task
  const { where, columns, by } = task
  const operators = []
  if (where !== null) {
    const column = col(where.column)
    operators.push(filter(where.to === null ? column.gte(where.from) : column.between(where.from, where.to)))
  }
  if (task.derive) operators.push(derive({ total: col('amount').plus(col('tip').coalesce(0)) }))
  if (by in DAYS) operators.push(derive({ [by]: sql(DAYS[by]) }))
  if (task.rename !== null) operators.push(rename({ [task.rename.from]: task.rename.to }))
  if (task.drop !== null) operators.push(drop(task.drop))
  if (columns !== null) operators.push(project(...columns))
  if (task.aggregate) operators.push(totals(by))
  else if (by !== null) operators.push(repartition({ by: [by] }))

  const stores = await Promise.all(task.data.map(folder => openStore(folder)))
  const [first, ...more] = stores.map(store => source(store, { mode, memory, lanes: threads }))
  const input = (more.length === 0 ? first : concat(first, ...more)).pipe(...operators)
  if (task.kind === 'rewrite') {
    // No peer waits for the disk.
    const parent = await openStore(dirname(task.out), { durability: task.fsync ? 'fsync' : 'none' })
    const to = parent.child(basename(task.out))
    // Only what is asked for: an option that says how columns are stored has all of them decoded.
    const { compression, passThrough } = task
    const options = { ...(compression && { compression }), ...(passThrough === false && { passThrough }) }
    // compact() cannot be told to decode: for that, the dataset is written anew.
    const compacts = passThrough !== false && more.length === 0 && operators.length === 0
    const report = compacts
      ? await compact(stores[0], { to, memory, lanes: threads })
      : await input.to(partitionedParquet(to, options))
    if (task.maintenance && passThrough !== false && report.pages.total > 0) {
      throw new Error(`decoded ${report.pages.total} pages, where none had to be`)
    }
    return { report }
  }
  const kept = []
  const report = await input.to({
    name: 'decode',
    async write(plan, run) {
      run.keepsBatches = task.kind === 'decode'
      for await (const batch of plan.batches(run)) {
        run.rowsOut += batch.numRows
        if (task.kind === 'decode' || task.check) kept.push(batch)
      }
      return run.report()
    },
  })
  return { rows: report.rowsOut, report, save: async () => (await import('./save.mjs')).saveBatches(kept) }
})
