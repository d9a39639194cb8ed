import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { openStore, type Store } from '../../src/index.ts'
import { type Cleanup, type DuckDB, openDuckDB, quote } from '../support/duckdb.ts'
import { tempFolder } from '../support/temp.ts'

/** A folder, opened as a store, and an oracle beside it. */
export interface Workspace {
  folder: string
  store: Store
  duckdb: DuckDB
}

export async function openWorkspace(t: Cleanup): Promise<Workspace> {
  const folder = tempFolder(t)
  return { folder, store: await openStore(folder), duckdb: await openDuckDB(t) }
}

/** A column name as a SQL identifier. */
export function ident(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** The rows of a Hive-partitioned folder as DuckDB sees them; `keys` are the partition columns and their types. */
export function datasetSql(
  folder: string,
  columns: readonly string[] | undefined,
  keys: Readonly<Record<string, string>> = {},
): string {
  const types = Object.entries(keys).map(([name, type]) => `${quote(name)}: ${quote(type)}`)
  const hive =
    types.length === 0
      ? 'hive_partitioning = false'
      : `hive_partitioning = true, hive_types = {${types.join(', ')}}`
  const select = columns === undefined ? '*' : columns.map(ident).join(', ')
  return `SELECT ${select} FROM read_parquet(${quote(join(folder, '**/*.parquet'))}, ${hive})`
}

/** Asserts that two queries give the same rows, in any order; a failure shows rows that only one of them has. */
export async function assertSameRows(duckdb: DuckDB, actual: string, expected: string): Promise<void> {
  const [found, wanted] = [await duckdb.multiset(actual), await duckdb.multiset(expected)]
  if (found.rows === wanted.rows && found.sum === wanted.sum) {
    assert.deepEqual(found.columns, wanted.columns)
    return
  }
  assert.deepEqual(found.columns, wanted.columns)
  const only = (a: string, b: string) => duckdb.query(`SELECT * FROM (${a} EXCEPT ALL ${b}) LIMIT 3`)
  const difference = { extra: await only(actual, expected), missing: await only(expected, actual) }
  assert.fail(
    `${found.rows} rows, expected ${wanted.rows}; ${JSON.stringify(difference, (_, value) => (typeof value === 'bigint' ? String(value) : value))}`,
  )
}

/** Every file below a folder and a digest of its bytes; hidden files too. */
export function fingerprint(folder: string): Record<string, string> {
  const files: Record<string, string> = {}
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(folder, name)
    if (statSync(path).isFile()) files[name] = createHash('sha256').update(readFileSync(path)).digest('hex')
  }
  return files
}

/** Names of the files below a folder that hold bytes and are not Parquet files: what Polars stumbles over. */
export function strayFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => {
    const stats = statSync(join(folder, name))
    return stats.isFile() && stats.size > 0 && !name.endsWith('.parquet')
  })
}
