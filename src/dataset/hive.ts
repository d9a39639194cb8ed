import { SluiceError } from '../core/errors.ts'

/** The folder value that stands for null. */
export const NULL_PARTITION = '__HIVE_DEFAULT_PARTITION__'

/** One `name=value` folder, decoded; `null` for {@link NULL_PARTITION}. */
export type PartitionKey = [name: string, value: string | null]

/** What the key of a data file says: its partition, outermost folder first, and its file name. */
export interface PartitionPath {
  keys: PartitionKey[]
  file: string
}

/**
 * Reads the Hive folders out of an object's key. Folders without `=` say nothing; where a name occurs twice,
 * the outer folder counts, as in DuckDB and PyArrow. The facts behind every rule: docs/decisions/0002.
 */
export function parsePartitionPath(key: string): PartitionPath {
  const segments = key.split('/')
  const file = segments.pop()!
  const keys: PartitionKey[] = []
  for (const segment of segments) {
    const equals = segment.indexOf('=')
    if (equals < 0) continue
    const name = decode(segment.slice(0, equals), key)
    if (keys.some(([known]) => known === name)) continue
    const value = segment.slice(equals + 1)
    keys.push([name, value === NULL_PARTITION ? null : decode(value, key)])
  }
  return { keys, file }
}

/** The folders of a partition with a trailing `/`; the empty string for no keys. */
export function partitionPath(names: readonly string[], values: readonly (string | null)[]): string {
  let path = ''
  for (const [index, name] of names.entries()) {
    path += `${encodeName(name)}=${encodeValue(values[index] ?? null, name)}/`
  }
  return path
}

/** The partition that a key lies in, spelt our way, so that `k=a b/` and `k=a%20b/` are one. */
export function partitionOf(key: string): string {
  let path = ''
  for (const [name, value] of parsePartitionPath(key).keys) {
    path += `${spellName(name)}=${value === null ? NULL_PARTITION : spellValue(value)}/`
  }
  return path
}

/** Whether a key is a data file's: it ends in `.parquet`, and neither it nor a folder above it is hidden. */
export function isDataFile(key: string): boolean {
  return /\.parquet$/i.test(key) && !isHidden(key)
}

/** Names that begin with `_` or `.` are not data; a folder `_name=value` is one of a key that begins with `_`. */
export function isHidden(key: string): boolean {
  const segments = key.split('/')
  const last = segments.length - 1
  return segments.some(
    (segment, index) =>
      segment.startsWith('.') || (segment.startsWith('_') && (index === last || !segment.includes('='))),
  )
}

/** PyArrow skips folders that begin with `_` or `.`, and DuckDB those that begin with `=`. */
function encodeName(name: string): string {
  if (name === '' || /^[_.]/.test(name)) {
    throw new SluiceError('invalid-argument', 'not a name for a partition folder', {
      column: name,
      hint: 'A partition column needs a name that does not begin with "_" or "."; rename it with derive().',
    })
  }
  return spellName(wellFormed(name, name))
}

function encodeValue(value: string | null, name: string): string {
  if (value === null) return NULL_PARTITION
  if (value === NULL_PARTITION) {
    throw new SluiceError('invalid-argument', `the value ${NULL_PARTITION} would be read back as null`, {
      column: name,
    })
  }
  return spellValue(wellFormed(value, name))
}

/** DuckDB and Polars take names as they are: only what the name of a folder cannot hold is encoded. */
function spellName(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to be encoded
  return percent(name, /[\0-\x1f\x7f%/=\\]/g)
}

/**
 * ASCII beside letters, digits and `-_.~` is encoded, as DuckDB and PyArrow do. Other characters stay: Spark
 * decodes every `%XX` to one character, so that encoded UTF-8 would come out as Latin-1. What XML listings cannot
 * carry, a `.` at the end (Azure, Windows) and the text `NULL`, which DuckDB 1 takes for null unless some of it
 * is encoded, are encoded nevertheless.
 */
function spellValue(value: string): string {
  return percent(value, /[^\w.~\-\u00a0-\ufffd\u{10000}-\u{10ffff}]|\.$|^[Nn](?=[Uu][Ll][Ll]$)/gu)
}

function wellFormed(text: string, column: string): string {
  if (!/\p{Surrogate}/u.test(text)) return text
  throw new SluiceError('invalid-argument', 'a partition value is not well-formed Unicode', { column })
}

function percent(text: string, characters: RegExp): string {
  return text.replace(characters, character =>
    Array.from(Buffer.from(character), byte => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(
      '',
    ),
  )
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(text: string, key: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, run => {
    try {
      return utf8.decode(Buffer.from(run.replaceAll('%', ''), 'hex'))
    } catch (cause) {
      throw new SluiceError('corrupt', `the folder name holds ${run}, which is not UTF-8`, {
        file: key,
        cause,
      })
    }
  })
}
