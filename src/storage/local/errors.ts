import { type ErrorCode, SluiceError } from '../../core/errors.ts'

const CODES: Record<string, ErrorCode> = {
  ENOENT: 'not-found',
  ENOTDIR: 'not-found',
  EEXIST: 'already-exists',
  EACCES: 'permission',
  EPERM: 'permission',
  EROFS: 'permission',
  ENAMETOOLONG: 'invalid-argument',
  ENOTSUP: 'unsupported',
  ENOSYS: 'unsupported',
  EXDEV: 'unsupported',
}

/** The system's name for a failure, such as `ENOENT`; undefined for anything but a failed system call. */
export function errno(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/**
 * A failed system call as a typed error about `file`; anything else as it is, and so the reason of the signal,
 * which may be the failure of a system call elsewhere.
 */
export function fileError(error: unknown, file: string, signal?: AbortSignal): unknown {
  const code = errno(error)
  if (code === undefined || (signal?.aborted && error === signal.reason)) return error
  return new SluiceError(CODES[code] ?? 'io', reason(code, error as Error), { file, cause: error })
}

/** What `call` gives; if a system call in it fails, a typed error about `file`. */
export async function aboutFile<T>(file: string, call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    throw fileError(error, file)
  }
}

/** A local folder cannot hold both an object `a` and an object `a/b`. */
export function notBoth(file: string, cause: unknown): SluiceError {
  return new SluiceError('unsupported', 'is both a file and a folder of other files', {
    file,
    hint: "A local store cannot hold an object 'a' beside an object 'a/b': choose another key.",
    cause,
  })
}

function reason(code: string, error: Error): string {
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'there is no such object'
    case 'EEXIST':
      return 'the object exists already'
    case 'ENAMETOOLONG':
      return 'the key is too long for the file system'
    case 'ENOSPC':
    case 'EDQUOT':
      return 'there is no room left on the disk'
    case 'EFBIG':
      return 'the file would be larger than the process, or the file system, allows'
    case 'EXDEV':
      return 'the folder lies on another file system than the root of the store'
    default:
      return error.message
  }
}
