import type { BigIntStats } from 'node:fs'
import { SluiceError } from '../../core/errors.ts'
import type { ObjectMeta } from '../store.ts'
import type { LocalCalls } from './calls.ts'

/** A tag of a file's content, for as long as nobody sets times by hand. It survives a move. */
export function etagOf({ size, mtimeNs, ino }: BigIntStats): string {
  return `${size.toString(36)}-${mtimeNs.toString(36)}-${ino.toString(36)}`
}

/** A file as an object; what is no regular file is none. */
export function metaOf(key: string, path: string, stats: BigIntStats): ObjectMeta {
  if (!stats.isFile()) throw new SluiceError('not-found', 'there is no such object', { file: path })
  return { key, size: Number(stats.size), etag: etagOf(stats), lastModified: stats.mtime }
}

/** The failure of a condition. */
export function changed(path: string): SluiceError {
  return new SluiceError('precondition', 'the object has been changed', { file: path })
}

/** Whether a system call failed with `code` because there is a folder at `path`: systems differ in the code. */
export async function isFolder(calls: LocalCalls, code: string | undefined, path: string): Promise<boolean> {
  if (code !== 'EISDIR' && code !== 'EEXIST' && code !== 'ENOTEMPTY' && code !== 'EPERM') return false
  try {
    return (await calls.lstat(path)).isDirectory()
  } catch {
    // Gone, or out of reach: the failure stands as it is.
    return false
  }
}
