import type { Task } from './jobs.ts'

/** A task as DuckDB's statement. */
export function statement(task: Task, data: string, out: string): string {
  const text = select(task, parquet(data))
  if (task.kind !== 'rewrite') return text
  const options = 'FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3'
  return task.by === null
    ? `COPY (${text}) TO ${quote(`${out}/data.parquet`)} (${options})`
    : `COPY (${text}) TO ${quote(out)} (${options}, PARTITION_BY (${task.by}), OVERWRITE_OR_IGNORE)`
}

/** The rows that a task gives. */
export function select({ columns, where, derive, aggregate, by }: Task, from: string): string {
  if (aggregate) {
    const results = 'count(*) AS n, sum(amount) AS total, min(amount) AS least, max(amount) AS most'
    return `SELECT ${by}, ${results} FROM ${from} GROUP BY ${by}`
  }
  const list = [
    ...(columns ?? ['*']),
    ...(derive ? ['amount + coalesce(tip, 0) AS total'] : []),
    ...(by === 'day' ? ['ts::DATE AS day'] : []),
    ...(by === 'month' ? ["date_trunc('month', ts)::DATE AS month"] : []),
  ]
  const text = `SELECT ${list.join(', ')} FROM ${from}`
  if (where === null) return text
  const { column, from: least, to: most } = where
  return `${text} WHERE ${column} ${most === null ? `>= ${least}` : `BETWEEN ${least} AND ${most}`}`
}

export function parquet(folder: string): string {
  return `read_parquet(${quote(`${folder}/*.parquet`)})`
}

export function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
