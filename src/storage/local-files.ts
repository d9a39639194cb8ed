import type { BigIntStats } from 'node:fs'
import { type FileHandle, lstat } from 'node:fs/promises'
import { SluiceError } from '../core/errors.ts'
import type { ObjectMeta } from './store.ts'

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
export async function isFolder(code: string | undefined, path: string): Promise<boolean> {
  if (code !== 'EISDIR' && code !== 'EEXIST' && code !== 'ENOTEMPTY' && code !== 'EPERM') return false
  try {
    return (await lstat(path)).isDirectory()
  } catch {
    // Gone, or out of reach: the failure stands as it is.
    return false
  }
}

const lost = new FinalizationRegistry((handle: FileHandle) => {
  handle.close().catch(() => {})
})

/**
 * Closes a file whose owner is collected as garbage without having been closed: a body that nobody read, an
 * upload that nobody ended. Node ends the process over a handle that is itself collected while it is open.
 */
export function closeWithOwner(owner: object, handle: FileHandle): void {
  lost.register(owner, handle)
}
