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
  /** Give a column another name. */
  rename: { from: string; to: string } | null
  /** Leave a column out. */
  drop: string | null
  /** No value changes: a rewrite has nothing to decode. */
  maintenance: boolean
}

export interface Job extends Task {
  name: string
  what: string
  /** One after another. */
  datasets: readonly DatasetName[]
  /** How many times as fast as the fastest peer Sluice is to be. */
  mark?: number
  /** And which share of the rate at which files are copied. */
  copyMark?: number
}

const whole: Task = {
  kind: 'decode',
  columns: null,
  where: null,
  derive: false,
  aggregate: false,
  by: null,
  rename: null,
  drop: null,
  maintenance: false,
}
const rewrite: Task = { ...whole, kind: 'rewrite' }
const maintain: Task = { ...rewrite, maintenance: true }
/** Drops a twentieth of the rows and adds a column. */
const refine: Task = { ...rewrite, where: { column: 'amount', from: 5, to: null }, derive: true }

/** The jobs; `sorted` has 8,000,000 rows at scale 1. */
export const jobs: readonly Job[] = [
  { ...whole, name: 'decode-all', what: 'decode all ten columns to Arrow', datasets: ['sorted'], mark: 1.2 },
  {
    ...whole,
    name: 'decode-3',
    what: 'decode three of ten columns to Arrow',
    datasets: ['sorted'],
    columns: ['id', 'ts', 'amount'],
  },
  {
    ...whole,
    name: 'scan-all',
    what: 'all ten columns batch by batch, none kept',
    datasets: ['sorted'],
    kind: 'scan',
  },
  { ...whole, name: 'decode-sluice', what: 'decode files that Sluice wrote', datasets: ['sluice'] },
  { ...whole, name: 'decode-wide', what: 'decode 200 columns', datasets: ['wide'] },
  {
    ...whole,
    name: 'filter-clustered',
    what: 'filter, 0.1 % of the rows, in one place',
    datasets: ['sorted'],
    where: { column: 'id', from: 4_000_000, to: 4_007_999 },
    mark: 1,
  },
  {
    ...whole,
    name: 'filter-scattered',
    what: 'filter, 0.1 % of the rows, scattered',
    datasets: ['sorted'],
    where: { column: 'account', from: 0, to: 99 },
    mark: 1,
  },
  {
    ...whole,
    name: 'aggregate',
    what: 'count, sum, min and max by a number (265)',
    datasets: ['sorted'],
    aggregate: true,
    by: 'zone',
  },
  {
    ...whole,
    name: 'aggregate-shop',
    what: 'count, sum, min and max by a text (1,000)',
    datasets: ['sorted'],
    aggregate: true,
    by: 'shop',
  },
  {
    ...refine,
    name: 'rewrite-month',
    what: 'filter, derive, partition by month (10)',
    datasets: ['sorted'],
    by: 'month',
    mark: 1.5,
  },
  {
    ...refine,
    name: 'rewrite-day',
    what: 'filter, derive, partition by day (303)',
    datasets: ['sorted'],
    by: 'day',
    mark: 1.5,
  },
  {
    ...refine,
    name: 'rewrite-zone',
    what: 'filter, derive, partition by a scattered key (265)',
    datasets: ['sorted'],
    by: 'zone',
    mark: 1.3,
  },
  {
    ...refine,
    name: 'rewrite-shop',
    what: 'filter, derive, partition by a random text (1,000)',
    datasets: ['sorted'],
    by: 'shop',
  },
  {
    ...refine,
    name: 'rewrite-row-group',
    what: 'filter, derive, partition by month, from one huge row group',
    datasets: ['row-group'],
    by: 'month',
  },
  {
    ...rewrite,
    name: 'repartition',
    what: 'shuffled rows by day (303), not sorted',
    datasets: ['shuffled'],
    by: 'day',
  },
  {
    ...maintain,
    name: 'project',
    what: 'three of ten columns, every row',
    datasets: ['sorted'],
    columns: ['id', 'ts', 'amount'],
    mark: 5,
    copyMark: 0.5,
  },
  {
    ...maintain,
    name: 'compact-64',
    what: '64 files of 125,000 rows to few',
    datasets: ['medium'],
    mark: 10,
  },
  { ...maintain, name: 'compact', what: '1,000 files of 8,000 rows to few', datasets: ['small'], mark: 3 },
  {
    ...maintain,
    name: 'rename',
    what: 'one of ten columns gets another name',
    datasets: ['sorted'],
    rename: { from: 'shop', to: 'store' },
    mark: 10,
  },
  {
    ...maintain,
    name: 'drop',
    what: 'one of ten columns is left out',
    datasets: ['sorted'],
    drop: 'note',
    mark: 10,
  },
  {
    ...maintain,
    name: 'concat',
    what: 'two datasets, one after another, to one',
    datasets: ['first-half', 'second-half'],
    mark: 10,
  },
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
          datasets: [`sorted-${times}x`],
        }),
      ),
  ]
}
