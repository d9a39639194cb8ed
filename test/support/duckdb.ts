import {
  DuckDBArrayValue,
  DuckDBBlobValue,
  type DuckDBConnection,
  DuckDBInstance,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBUnionValue,
} from '@duckdb/node-api'

/** What both a test's context and `import { after } from 'node:test'` offer. */
export interface Cleanup {
  after(clean: () => void | Promise<void>): void
}

export type Row = Record<string, unknown>

/** Equal for two queries if and only if (but for a hash collision) they give the same rows, in any order. */
export interface Multiset {
  /** Name and type of every column, in order. */
  columns: string[]
  rows: bigint
  /** Sum of the rows' hashes. */
  sum: bigint
}

/** DuckDB in memory, as the oracle of a test; closed when the test ends. */
export interface DuckDB {
  connection: DuckDBConnection
  /**
   * All rows. Values are exact: 64-bit and wider integers are bigints; decimals, dates, times, timestamps (UTC),
   * intervals and UUIDs are DuckDB's text in full precision; blobs are bytes; lists are arrays, structs objects,
   * maps arrays of `{ key, value }`.
   */
  query(sql: string): Promise<Row[]>
  /** An order-independent fingerprint that tells apart null, NaN, -0, empty lists and lists of nulls. */
  multiset(sql: string): Promise<Multiset>
}

export async function openDuckDB(t: Cleanup): Promise<DuckDB> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  t.after(() => {
    connection.closeSync()
    instance.closeSync()
  })
  await connection.run("SET TimeZone = 'UTC'")

  const query = async (sql: string): Promise<Row[]> => {
    const reader = await connection.runAndReadAll(sql)
    const names = reader.columnNames()
    return reader.getRows().map(row => Object.fromEntries(names.map((name, i) => [name, exact(row[i])])))
  }

  const multiset = async (sql: string): Promise<Multiset> => {
    const described = await query(`DESCRIBE ${sql}`)
    const hashed = described.map(({ column_type }, i) => hashable(`c${i}`, String(column_type)))
    const names = described.map((_, i) => `c${i}`).join(', ')
    const [total] = await query(
      `SELECT count(*) AS rows, coalesce(sum(hash(${hashed.join(', ')})), 0) AS sum FROM (${sql}) AS t(${names})`,
    )
    return {
      columns: described.map(({ column_name, column_type }) => `${column_name} ${column_type}`),
      rows: total!['rows'] as bigint,
      sum: total!['sum'] as bigint,
    }
  }
  return { connection, query, multiset }
}

/** A string as a SQL literal. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/**
 * DuckDB's hash is the same for 0 and -0, and for null, [] and [null] in nested types: their text, in which
 * nested strings are quoted, is not.
 */
function hashable(column: string, type: string): string {
  return /^(FLOAT|DOUBLE)$|[[(]/.test(type) && !/^(DECIMAL|ENUM)\([^[]*$/.test(type)
    ? `${column}::VARCHAR`
    : column
}

function exact(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof DuckDBBlobValue) return new Uint8Array(value.bytes)
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items.map(exact)
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([name, field]) => [name, exact(field)]))
  }
  if (value instanceof DuckDBMapValue) {
    return value.entries.map(entry => ({ key: exact(entry.key), value: exact(entry.value) }))
  }
  if (value instanceof DuckDBUnionValue) return { [value.tag]: exact(value.value) }
  return value.toString()
}
