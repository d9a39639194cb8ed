import { located, SluiceError } from '../core/errors.ts'
import { readFileMetadata, type SchemaMemo } from './file-metadata.ts'
import { chunkRange, type FileMetadata } from './metadata.ts'
import { ThriftReader } from './thrift-reader.ts'

/** Bytes from the end of a file to fetch first: most footers are smaller. */
export const FOOTER_TAIL: number = 64 * 1024

const MAGIC = 0x31524150 // 'PAR1', little-endian
const ENCRYPTED_MAGIC = 0x45524150 // 'PARE'
/** Length of the footer and magic. */
const TRAILER = 8

/**
 * Reads a file's footer from its last bytes. If they are too few, `need` says how many to fetch from the end
 * before calling again. A file that is not Parquet, or whose footer is damaged, is `corrupt`; an encrypted one
 * is `unsupported`. Files read with the same memo share their schema where it is the same.
 */
export function readFooter(
  tail: Uint8Array,
  fileSize: number,
  file: string,
  memo?: SchemaMemo,
): { metadata: FileMetadata } | { need: number } {
  if (fileSize < TRAILER + 4) {
    throw new SluiceError('corrupt', `not a Parquet file: it has ${fileSize} bytes`, { file })
  }
  if (tail.length < TRAILER) return { need: Math.min(FOOTER_TAIL, fileSize) }
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength)
  const magic = view.getUint32(tail.length - 4, true)
  if (magic === ENCRYPTED_MAGIC) {
    throw new SluiceError('unsupported', 'the file is encrypted, which Sluice cannot read', { file })
  }
  if (magic !== MAGIC) {
    throw new SluiceError('corrupt', "not a Parquet file: it does not end in 'PAR1'", { file })
  }
  const length = view.getUint32(tail.length - TRAILER, true)
  if (length + TRAILER + 4 > fileSize) {
    throw new SluiceError('corrupt', `the footer claims ${length} bytes of a file of ${fileSize}`, { file })
  }
  if (length + TRAILER > tail.length) return { need: length + TRAILER }
  const end = tail.length - TRAILER
  try {
    // Statistics are views of it, which must not keep all of the tail.
    const footer = tail.slice(end - length, end)
    const metadata = readFileMetadata(new ThriftReader(footer, 0, length), memo)
    check(metadata, fileSize - TRAILER - length)
    return { metadata }
  } catch (error) {
    throw located(error, 'corrupt', { file })
  }
}

/** What every later step relies on: chunks that match the leaves and lie before the footer. */
function check(metadata: FileMetadata, dataEnd: number): void {
  if (metadata.numRows < 0) throw new SluiceError('corrupt', 'the footer has no number of rows')
  const padding = dictionaryPadding(metadata.createdBy)
  let rows = 0
  metadata.rowGroups.forEach((group, rowGroup) => {
    if (group.columns.length !== metadata.columns.length) {
      const reason = `${group.columns.length} column chunks for ${metadata.columns.length} columns`
      throw new SluiceError('corrupt', reason, { rowGroup })
    }
    rows += group.numRows
    group.columns.forEach((chunk, index) => {
      const { path, element } = metadata.columns[index]!
      const context = () => ({ rowGroup, column: path.join('.') })
      chunk.path = path
      if (chunk.encrypted === true) return
      if (chunk.type !== element.type) {
        throw new SluiceError(
          'corrupt',
          `the chunk is ${chunk.type}, the schema says ${element.type}`,
          context(),
        )
      }
      const { start, end } = chunkRange(chunk)
      if (start < 0 || end < start || end > dataEnd || chunk.numValues < 0) {
        const reason = `the chunk claims bytes ${start} to ${end} of ${dataEnd} before the footer`
        throw new SluiceError('corrupt', reason, context())
      }
      chunk.totalCompressedSize += Math.min(padding, dataEnd - end)
    })
  })
  // Some writers leave the file's own count at 0; the row groups are what is read.
  metadata.numRows = rows
}

/**
 * parquet-mr before 1.2.9 left the dictionary page's header out of the chunk's size (PARQUET-816): a few bytes
 * more are read, and the page headers tell which of them count.
 */
function dictionaryPadding(createdBy: string | undefined): number {
  const [, mr, version] = /^(parquet-mr)(?: version (\d+\.\d+\.\d+))?/.exec(createdBy ?? '') ?? []
  if (mr === undefined) return 0
  const [major = 0, minor = 0, patch = 0] = (version ?? '').split('.').map(Number)
  return major * 1e6 + minor * 1e3 + patch < 1_002_009 ? 100 : 0
}
