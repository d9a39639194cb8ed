import type { Task } from './jobs.ts'

/** A task as DuckDB's statement. */
export function statement(task: Task, data: readonly string[], out: string): string {
  const text = select(task, parquet(data))
  if (task.kind !== 'rewrite') return text
  const options = 'FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3'
  return task.by === null
    ? `COPY (${text}) TO ${quote(`${out}/data.parquet`)} (${options})`
    : `COPY (${text}) TO ${quote(out)} (${options}, PARTITION_BY (${task.by}), OVERWRITE_OR_IGNORE)`
}

/** The rows that a task gives. */
export function select(task: Task, from: string): string {
  const { columns, where, derive, aggregate, by, rename, drop } = task
  if (aggregate) {
    const results = 'count(*) AS n, sum(amount) AS total, min(amount) AS least, max(amount) AS most'
    return `SELECT ${by}, ${results} FROM ${from} GROUP BY ${by}`
  }
  const renamed = rename === null ? '' : ` RENAME (${rename.from} AS ${rename.to})`
  const list = [
    ...(columns ?? [`*${drop === null ? '' : ` EXCLUDE (${drop})`}${renamed}`]),
    ...(derive ? ['amount + coalesce(tip, 0) AS total'] : []),
    ...(by === 'day' ? ['ts::DATE AS day'] : []),
    ...(by === 'month' ? ["date_trunc('month', ts)::DATE AS month"] : []),
  ]
  const text = `SELECT ${list.join(', ')} FROM ${from}`
  if (where === null) return text
  const { column, from: least, to: most } = where
  return `${text} WHERE ${column} ${most === null ? `>= ${least}` : `BETWEEN ${least} AND ${most}`}`
}

/** How many bytes the columns that a task keeps take where they come from. */
export function storedBytes({ columns, drop }: Task, data: readonly string[]): string {
  const kept = columns?.map(quote).join(', ')
  const where = kept === undefined ? `<> ${quote(drop ?? '')}` : `IN (${kept})`
  return `SELECT sum(total_compressed_size)::BIGINT FROM parquet_metadata(${globs(data)}) WHERE path_in_schema ${where}`
}

export function parquet(folders: readonly string[]): string {
  return `read_parquet(${globs(folders)})`
}

function globs(folders: readonly string[]): string {
  return `[${folders.map(folder => quote(`${folder}/*.parquet`)).join(', ')}]`
}

export function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
