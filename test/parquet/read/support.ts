import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type RecordBatch, Table, tableToIPC } from 'apache-arrow'
import { Arena } from '../../../src/core/arena.ts'
import { readFooter } from '../../../src/parquet/footer.ts'
import { chunkRange, type FileMetadata } from '../../../src/parquet/metadata.ts'
import { RowGroupReader } from '../../../src/parquet/row-group-reader.ts'
import { python } from '../../support/python.ts'

/** One for all tests of a process, as a lane would have. */
export const arena: Arena = new Arena(64 << 20)

export function footerOf(file: Uint8Array, name = 'file'): FileMetadata {
  const footer = readFooter(file, file.length, name)
  if ('need' in footer) throw new Error('a whole file is never too short')
  return footer.metadata
}

export function columnsOf(metadata: FileMetadata): string[] {
  return [...new Set(metadata.columns.map(({ path }) => path[0]!))]
}

export interface ReadOptions {
  columns?: string[]
  /** How to walk through a row group: each number reads that many rows, negative ones skip. */
  steps?: Iterable<number>
  /** For messages. */
  name?: string
  /** Whether the chunks lie in the arena, as those that a lane fetched, or elsewhere. */
  inArena?: boolean
}

/**
 * Reads a row group and hands its batches on while their memory is valid; without steps in one batch. Everything
 * taken from the arena has to be given back in the end.
 */
export async function readRowGroup(
  file: Uint8Array,
  metadata: FileMetadata,
  rowGroup: number,
  use: (batch: RecordBatch) => void,
  { columns = columnsOf(metadata), steps = [Infinity], name = 'file', inArena = false }: ReadOptions = {},
): Promise<void> {
  const used = arena.used
  const chunks = metadata.rowGroups[rowGroup]!.columns
  const bytesOf = (leaf: number) => {
    const { start, end } = chunkRange(chunks[leaf]!)
    const chunk = file.subarray(start, end)
    if (!inArena) return chunk
    const copy = arena.u8(fetched.alloc(chunk.length), chunk.length)
    copy.set(chunk)
    return copy
  }
  const { numRows } = metadata.rowGroups[rowGroup]!
  const parts = (leaf: number) => [{ bytes: bytesOf(leaf), firstRow: 0, rows: numRows }]
  const fetched = arena.region()
  const region = arena.region()
  let reader: RowGroupReader | undefined
  try {
    reader = RowGroupReader.open({ file: name, metadata, rowGroup, columns, parts, arena })
    for (const step of steps) {
      if (step < 0) reader.skip(-step)
      else use(reader.read(step, region))
      region.free()
    }
  } finally {
    region.free()
    reader?.close()
    fetched.free()
    assert.equal(arena.used, used, 'bytes of the arena that were not given back')
  }
}

/** Our reading of a file as Arrow IPC streams, one a row group. */
export async function readAsIpc(path: string, columns?: string[]): Promise<Uint8Array[]> {
  const file = readFileSync(path)
  const metadata = footerOf(file, path)
  const streams: Uint8Array[] = []
  for (let rowGroup = 0; rowGroup < metadata.rowGroups.length; rowGroup++) {
    const options = columns === undefined ? { name: path } : { name: path, columns }
    await readRowGroup(file, metadata, rowGroup, batch => void streams.push(ipcOf(batch)), options)
  }
  return streams
}

export function ipcOf(batch: RecordBatch): Uint8Array {
  return tableToIPC(new Table([batch]), 'stream')
}

/**
 * Lets PyArrow compare our reading of Parquet files with its own: names, types, and values bit by bit. Returns
 * what differs, one line each, for each file; an error of either side is a line, too.
 */
export async function differences(paths: readonly string[], folder: string): Promise<string[][]> {
  const lines: string[][] = []
  const tasks: { path: string; files: string[] }[] = []
  for (const [index, path] of paths.entries()) {
    const files: string[] = []
    lines.push([])
    try {
      for (const stream of await readAsIpc(path)) {
        const file = join(folder, `${index}-${files.length}.arrows`)
        await writeFile(file, stream)
        files.push(file)
      }
      tasks.push({ path, files })
    } catch (error) {
      lines[index]!.push(String(error))
    }
  }
  const compared = await python<string[][]>(COMPARE, tasks)
  tasks.forEach(({ path }, index) => void lines[paths.indexOf(path)]!.push(...compared[index]!))
  return lines
}

/**
 * Encodings that PyArrow restores from its own metadata in the file are undone, and where it knows less than we
 * do (enums as text, JSON) its binary is compared with our text.
 */
const COMPARE = `
import pyarrow as pa, pyarrow.parquet as pq

def plain(array):
    """One chunk without encodings; floats as their bits."""
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if isinstance(array, pa.ExtensionArray): array = array.storage
    if pa.types.is_dictionary(array.type): array = array.dictionary_decode()
    return array

def simple(type):
    if isinstance(type, pa.BaseExtensionType): return simple(type.storage_type)
    if pa.types.is_dictionary(type): return simple(type.value_type)
    if pa.types.is_large_string(type) or pa.types.is_string_view(type): return pa.string()
    if pa.types.is_large_binary(type) or pa.types.is_binary_view(type): return pa.binary()
    if pa.types.is_duration(type): return pa.int64()
    if pa.types.is_timestamp(type) and type.tz is not None: return pa.timestamp(type.unit, 'UTC')
    return type

def bits(array):
    if pa.types.is_nested(array.type): return array
    if pa.types.is_float64(array.type): return array.view(pa.int64())
    if pa.types.is_float32(array.type): return array.view(pa.int32())
    if pa.types.is_float16(array.type): return array.view(pa.int16())
    return array

def compare(name, ours, theirs):
    want, have = simple(theirs.type), simple(ours.type)
    if want == pa.binary() and have == pa.string(): want = have
    if want != have: return [f'{name}: type {have}, PyArrow {want}']
    theirs, ours = plain(theirs), plain(ours)
    if theirs.type != want: theirs = theirs.cast(want)
    if ours.type != want: ours = ours.cast(want)
    ours.validate(full=True)
    theirs, ours = bits(theirs), bits(ours)
    if ours.equals(theirs): return []
    if len(ours) != len(theirs): return [f'{name}: {len(ours)} rows, PyArrow {len(theirs)}']
    for i in range(len(ours)):
        if not ours[i].equals(theirs[i]): return [f'{name}[{i}]: {ours[i]!r}, PyArrow {theirs[i]!r}']
    return [f'{name}: differs']

def compare_files(path, files):
    theirs = pq.ParquetFile(path).read()
    ours = [pa.ipc.open_stream(name).read_all() for name in files]
    if len(ours) == 0: return [] if theirs.num_rows == 0 else [f'no rows, PyArrow {theirs.num_rows}']
    if ours[0].schema.names != theirs.schema.names: return [f'{ours[0].schema.names}, PyArrow {theirs.schema.names}']
    lines = []
    for i, name in enumerate(theirs.schema.names):
        chunks = [plain(table.column(i)) for table in ours]
        lines += compare(name, pa.chunked_array(chunks), theirs.column(i))
    return lines

result = []
for task in input:
    try: result.append(compare_files(task['path'], task['files']))
    except Exception as error: result.append([f'PyArrow: {error}'])
`
