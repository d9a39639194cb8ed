/**
 * The data of the jobs: made once by DuckDB, the same for everybody, and kept in
 * `<folder>/v<generator>-<DuckDB>-scale-<scale>/<dataset>/`.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { quote } from './sql.ts'

export type DatasetName =
  | 'sorted'
  | 'shuffled'
  | 'small'
  | 'medium'
  | 'first-half'
  | 'second-half'
  | 'wide'
  | 'row-group'
  | 'sluice'
  | `sorted-${number}x`

/** To be raised with every change of what is below; not for a dataset more. */
const GENERATOR = 1
const FILES = 8
const FILE_ROWS = 1_000_000
const ZSTD = 'FORMAT parquet, COMPRESSION zstd'

export interface Dataset {
  /** One, or those of several that are taken together. */
  folders: string[]
  files: number
  rows: number
  bytes: number
}

export interface Scale {
  connection: DuckDBConnection
  scale: number
  /** Has Sluice decode `from` and write it to `to`. */
  sluice: (from: string[], to: string) => Promise<void>
}

/** Datasets below `root`, taken together; made if they are not there. */
export async function datasets(names: readonly DatasetName[], root: string, scale: Scale): Promise<Dataset> {
  const all: Dataset = { folders: [], files: 0, rows: 0, bytes: 0 }
  for (const name of names) {
    const { folders, files, rows, bytes } = await dataset(name, root, scale)
    all.folders.push(...folders)
    all.files += files
    all.rows += rows
    all.bytes += bytes
  }
  return all
}

async function dataset(name: DatasetName, root: string, scale: Scale): Promise<Dataset> {
  const folder = join(await versioned(root, scale), name)
  if (!existsSync(folder)) {
    const partial = `${folder}.partial`
    rmSync(partial, { recursive: true, force: true })
    mkdirSync(partial, { recursive: true })
    await make(name, partial, root, scale)
    renameSync(partial, folder)
  }
  const files = readdirSync(folder).filter(file => file.endsWith('.parquet'))
  const bytes = files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)
  const counted = await scale.connection.runAndReadAll(
    `SELECT sum(num_rows)::BIGINT FROM parquet_file_metadata(${quote(`${folder}/*.parquet`)})`,
  )
  return { folders: [folder], files: files.length, rows: Number(counted.getRows()[0]![0]), bytes }
}

/** Copies datasets to another disk, once. */
export async function copyDatasets(from: Dataset, root: string, scale: Scale): Promise<Dataset> {
  const parent = await versioned(root, scale)
  const folders = from.folders.map(original => {
    const folder = join(parent, basename(original))
    if (!existsSync(folder)) {
      cpSync(original, `${folder}.partial`, { recursive: true, force: true })
      renameSync(`${folder}.partial`, folder)
    }
    return folder
  })
  return { ...from, folders }
}

async function versioned(root: string, { connection, scale }: Scale): Promise<string> {
  const version = (await connection.runAndReadAll('SELECT version()')).getRows()[0]![0]
  return join(root, `v${GENERATOR}-duckdb-${version}-scale-${scale}`)
}

async function make(name: DatasetName, folder: string, root: string, scale: Scale): Promise<void> {
  const fileRows = Math.round(FILE_ROWS * scale.scale)
  const copy = (text: string, file: number, options = ZSTD) =>
    scale.connection.run(
      `COPY (${text}) TO ${quote(join(folder, `part-${String(file).padStart(4, '0')}.parquet`))} (${options})`,
    )
  const times = /^sorted-(\d+)x$/.exec(name)?.[1]
  if (name === 'sorted' || times !== undefined) {
    const files = FILES * Number(times ?? 1)
    for (let file = 0; file < files; file++) {
      await copy(rows(file * fileRows, (file + 1) * fileRows, files * fileRows), file)
    }
  } else if (name === 'shuffled') {
    // Each file has an eighth of the ids, in an order of its own.
    for (let file = 0; file < FILES; file++) {
      const all = rows(0, FILES * fileRows, FILES * fileRows)
      await copy(`${all} WHERE hash(i, 90) % ${FILES} = ${file} ORDER BY hash(i, 91)`, file)
    }
  } else if (name === 'small') {
    const files = Math.max(4, Math.round(1000 * scale.scale))
    const each = 8000
    for (let file = 0; file < files; file++) {
      await copy(rows(file * each, (file + 1) * each, files * each), file)
    }
  } else if (name === 'medium') {
    // The rows of `sorted`, an eighth of one of its files in each, which is one row group.
    const total = FILES * fileRows
    const files = 64
    const first = (file: number) => Math.round((file * total) / files)
    for (let file = 0; file < files; file++) {
      const [from, to] = [first(file), first(file + 1)]
      await copy(rows(from, to, total), file, `${ZSTD}, ROW_GROUP_SIZE ${to - from}`)
    }
  } else if (name === 'first-half' || name === 'second-half') {
    // The rows of `sorted`.
    const half = FILES / 2
    for (let file = 0; file < half; file++) {
      const from = (name === 'first-half' ? file : file + half) * fileRows
      await copy(rows(from, from + fileRows, FILES * fileRows), file)
    }
  } else if (name === 'wide') {
    await copy(wideRows(Math.round(200_000 * scale.scale)), 0)
  } else if (name === 'row-group') {
    const count = Math.round(4_000_000 * scale.scale)
    await copy(rows(0, count, count), 0, `${ZSTD}, ROW_GROUP_SIZE ${count}`)
  } else {
    const { folders } = await dataset('sorted', root, scale)
    await scale.sluice(folders, folder)
  }
}

/** Rows `from` to `to` of `total`, which lie in 303 days from 2024-01-01 on, ten months. */
function rows(from: number, to: number, total: number): string {
  const step = Math.floor((303 * 86_400_000_000) / total)
  // A number of 0 to 2^64 that belongs to the row and the column: the same in every run, on any threads.
  const random = (column: number) => `hash(i, ${column})`
  const fraction = (column: number) => `(${random(column)} / 18446744073709551616.0)`
  const nulls = (column: number, value: string) =>
    `CASE WHEN ${random(column + 50)} % 10 > 0 THEN ${value} END`
  return `SELECT
    i AS id,
    make_timestamp(1704067200000000 + i * ${step} + (${fraction(1)} * ${step})::BIGINT) AS ts,
    (${random(2)} % 100000)::INTEGER AS account,
    ${nulls(3, `(1 + ${random(3)} % 20)::INTEGER`)} AS quantity,
    round(${fraction(4)} * 100, 2) AS amount,
    ${nulls(5, `${fraction(5)} * 20`)} AS tip,
    (${random(6)} % 265)::INTEGER AS zone,
    printf('shop-%04d', (${random(7)} % 1000)::INTEGER) AS shop,
    ${nulls(8, `list_extract(['book','food','fuel','game','gift','home','media','pet','sport','tool','toy','travel'], (1 + ${random(8)} % 12)::INTEGER)`)} AS category,
    ${nulls(9, `format('{:x}', ${random(9)})`)} AS note
    FROM range(${from}, ${to}) AS source(i)`
}

/** 200 columns: integers, doubles with nulls, text. */
function wideRows(count: number): string {
  const columns = Array.from({ length: 200 }, (_, c) => {
    const value = [
      `(hash(i, ${c}) % ${10 ** (1 + (c % 9))})::BIGINT`,
      `CASE WHEN hash(i, ${c}) % 10 > 0 THEN hash(i, ${c}) / 1e9 END`,
      `printf('value-%d', (hash(i, ${c}) % ${c + 1})::INTEGER)`,
    ][c % 3]
    return `${value} AS c${c}`
  })
  return `SELECT ${columns.join(', ')} FROM range(${count}) AS source(i)`
}
