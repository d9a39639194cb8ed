import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { Task } from './jobs.ts'
import { parquet, quote, select, storedBytes } from './sql.ts'

/** The rows that a task has to give, as DuckDB sees them. */
export interface Expected {
  columns: { name: string; value: string }[]
  rows: number
  /** Sum of the hashes of all columns of all rows, and of the first column only. */
  all: string
  first: string
  /** What a plain copy of the columns that are kept has to move. */
  storedBytes: number
}

export async function expect(
  connection: DuckDBConnection,
  task: Task,
  data: readonly string[],
): Promise<Expected> {
  const text = select(task, parquet(data))
  const described = (await connection.runAndReadAll(`DESCRIBE ${text}`)).getRows()
  const columns = described.map(([name, type]) => {
    const value = `"${name}"::${type}`
    // Sums of hundredths, taken in any order.
    return { name: String(name), value: task.aggregate && type === 'DOUBLE' ? `round(${value}, 3)` : value }
  })
  const [rows, all] = await fingerprint(connection, `(${text})`, columns)
  const [, first] = await fingerprint(connection, `(${text})`, columns.slice(0, 1))
  const [stored] = (await connection.runAndReadAll(storedBytes(task, data))).getRows()
  return { columns, rows, all, first, storedBytes: Number(stored![0]) }
}

/**
 * Throws unless the Parquet files in `out` hold the expected rows, in any order: all columns are compared, or,
 * if not `thorough`, the first one and the number of rows.
 */
export async function checkFiles(
  connection: DuckDBConnection,
  out: string,
  expected: Expected,
  thorough: boolean,
): Promise<void> {
  const from = `read_parquet(${quote(`${out}/**/*.parquet`)}, hive_partitioning = true, hive_types_autocast = false)`
  const found = (await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${from}`))
    .getRows()
    .map(([name]) => String(name))
  const wanted = expected.columns.map(({ name }) => name)
  if ([...found].sort().join() !== [...wanted].sort().join()) {
    throw new Error(`gave the columns ${found.join(', ')} instead of ${wanted.join(', ')}`)
  }
  const columns = thorough ? expected.columns : expected.columns.slice(0, 1)
  const [rows, sum] = await fingerprint(connection, from, columns)
  if (rows !== expected.rows) throw new Error(`gave ${rows} rows instead of ${expected.rows}`)
  if (sum !== (thorough ? expected.all : expected.first)) throw new Error('gave rows with other values')
}

/** Number and bytes of the Parquet files in a folder. */
export function filesIn(folder: string): { files: number; bytes: number } {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name =>
    name.endsWith('.parquet'),
  )
  return {
    files: files.length,
    bytes: files.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0),
  }
}

async function fingerprint(
  connection: DuckDBConnection,
  from: string,
  columns: Expected['columns'],
): Promise<[rows: number, sum: string]> {
  const values = columns.map(({ value }) => value).join(', ')
  const reader = await connection.runAndReadAll(
    `SELECT count(*), coalesce(sum(hash(${values})), 0) FROM ${from}`,
  )
  const [rows, sum] = reader.getRows()[0]!
  return [Number(rows), String(sum)]
}
