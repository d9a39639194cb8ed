import type { DatasetName } from './data.ts'

/** What a child is to do, as JSON on its command line. */
export interface Task {
  /** `decode`: into Arrow data that is all held; `scan`: batch by batch, none held; `rewrite`: into files. */
  kind: 'decode' | 'scan' | 'rewrite'
  /** The columns to be read; null for all. */
  columns: string[] | null
  /** Both ends belong to the range; `to` null: no upper end. */
  where: { column: string; from: number; to: number | null } | null
  /** Add `total`, which is `amount + coalesce(tip, 0)`. */
  derive: boolean
  /** Instead of rows: for each `by` their number, and the sum, minimum and maximum of `amount`. */
  aggregate: boolean
  /** Partition, or aggregate, by this key; `day` and `month` (its first day) are derived from `ts`. */
  by: 'day' | 'month' | 'zone' | 'shop' | null
}

export interface Job extends Task {
  name: string
  what: string
  dataset: DatasetName
  /** How many times as fast as the fastest peer Sluice is to be. */
  mark?: number
}

const whole: Task = {
  kind: 'decode',
  columns: null,
  where: null,
  derive: false,
  aggregate: false,
  by: null,
}
const rewrite: Task = { ...whole, kind: 'rewrite' }
/** Drops a twentieth of the rows and adds a column. */
const refine: Task = { ...rewrite, where: { column: 'amount', from: 5, to: null }, derive: true }

/** The jobs; `sorted` has 8,000,000 rows at scale 1. */
export const jobs: readonly Job[] = [
  { ...whole, name: 'decode-all', what: 'decode all ten columns to Arrow', dataset: 'sorted', mark: 1.2 },
  {
    ...whole,
    name: 'decode-3',
    what: 'decode three of ten columns to Arrow',
    dataset: 'sorted',
    columns: ['id', 'ts', 'amount'],
  },
  {
    ...whole,
    name: 'scan-all',
    what: 'all ten columns batch by batch, none kept',
    dataset: 'sorted',
    kind: 'scan',
  },
  { ...whole, name: 'decode-sluice', what: 'decode files that Sluice wrote', dataset: 'sluice' },
  { ...whole, name: 'decode-wide', what: 'decode 200 columns', dataset: 'wide' },
  {
    ...whole,
    name: 'filter-clustered',
    what: 'filter, 0.1 % of the rows, in one place',
    dataset: 'sorted',
    where: { column: 'id', from: 4_000_000, to: 4_007_999 },
    mark: 1,
  },
  {
    ...whole,
    name: 'filter-scattered',
    what: 'filter, 0.1 % of the rows, scattered',
    dataset: 'sorted',
    where: { column: 'account', from: 0, to: 99 },
    mark: 1,
  },
  {
    ...whole,
    name: 'aggregate',
    what: 'count, sum, min and max by a number (265)',
    dataset: 'sorted',
    aggregate: true,
    by: 'zone',
  },
  {
    ...whole,
    name: 'aggregate-shop',
    what: 'count, sum, min and max by a text (1,000)',
    dataset: 'sorted',
    aggregate: true,
    by: 'shop',
  },
  {
    ...refine,
    name: 'rewrite-month',
    what: 'filter, derive, partition by month (10)',
    dataset: 'sorted',
    by: 'month',
    mark: 1.5,
  },
  {
    ...refine,
    name: 'rewrite-day',
    what: 'filter, derive, partition by day (303)',
    dataset: 'sorted',
    by: 'day',
    mark: 1.5,
  },
  {
    ...refine,
    name: 'rewrite-zone',
    what: 'filter, derive, partition by a scattered key (265)',
    dataset: 'sorted',
    by: 'zone',
    mark: 1.3,
  },
  {
    ...refine,
    name: 'rewrite-shop',
    what: 'filter, derive, partition by a random text (1,000)',
    dataset: 'sorted',
    by: 'shop',
  },
  {
    ...refine,
    name: 'rewrite-row-group',
    what: 'filter, derive, partition by month, from one huge row group',
    dataset: 'row-group',
    by: 'month',
  },
  {
    ...rewrite,
    name: 'repartition',
    what: 'shuffled rows by day (303), not sorted',
    dataset: 'shuffled',
    by: 'day',
  },
  {
    ...rewrite,
    name: 'project',
    what: 'three of ten columns to a new file, every row',
    dataset: 'sorted',
    columns: ['id', 'ts', 'amount'],
  },
  { ...rewrite, name: 'compact', what: 'many small files (1,000) to one', dataset: 'small' },
]

/** The jobs of those names, with ids that fit the scale, and `rewrite-day` on more data. */
export function chosenJobs(names: readonly string[], scale: number, growth: readonly number[]): Job[] {
  const scaled = (job: Job): Job => {
    if (job.where?.column !== 'id') return job
    const { from, to } = job.where
    return {
      ...job,
      where: { column: 'id', from: Math.round(from * scale), to: Math.round((to! + 1) * scale) - 1 },
    }
  }
  const day = jobs.find(({ name }) => name === 'rewrite-day')!
  return [
    ...jobs.filter(job => names.includes(job.name) || (job === day && growth.length > 0)).map(scaled),
    ...growth
      .filter(times => times > 1)
      .map(
        (times): Job => ({
          ...day,
          name: `rewrite-day-${times}x`,
          what: `${day.what}, ${times} × the data`,
          dataset: `sorted-${times}x`,
        }),
      ),
  ]
}
