import type { ObjectMeta } from '../storage/store.ts'
import { FULL } from './output.ts'

/** Files of one folder that are to be merged. */
export interface FolderPlan {
  /** With a trailing `/`; empty for the dataset's own. */
  path: string
  files: ObjectMeta[]
}

/** Folders that make a task: each has an open file until the task is done. */
const TASK_FOLDERS = 256

/** The folder that a key lies in, with a trailing `/`; empty for none. */
export function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1)
}

/**
 * What to merge, folder by folder: `all` files, or those below three quarters of the target, where that makes them
 * fewer. Of what comes of it one file a folder may be smaller than that: the others are left alone next time.
 */
export function planFolders(
  objects: readonly ObjectMeta[],
  targetFileBytes: number,
  all: boolean,
): FolderPlan[] {
  const folders = new Map<string, ObjectMeta[]>()
  for (const object of objects) {
    if (!all && object.size >= targetFileBytes * FULL) continue
    const path = folderOf(object.key)
    const files = folders.get(path)
    if (files === undefined) folders.set(path, [object])
    else files.push(object)
  }
  return Array.from(folders, ([path, files]) => ({ path, files })).filter(
    ({ files }) => all || filesAfter(files, targetFileBytes) < files.length,
  )
}

/** About how many files some become. */
export function filesAfter(files: readonly ObjectMeta[], targetFileBytes: number): number {
  return Math.max(1, Math.ceil(bytesOf(files) / targetFileBytes))
}

export function bytesOf(files: readonly { size: number }[]): number {
  return files.reduce((sum, { size }) => sum + size, 0)
}

/** Files in tasks of about `taskBytes`, folder by folder; a folder is cut only where it alone is larger. */
export function groupFolders<T>(
  folders: readonly (readonly T[])[],
  sizeOf: (file: T) => number,
  taskBytes: number,
): T[][] {
  const tasks: T[][] = []
  let bytes = Number.POSITIVE_INFINITY
  let places = 0
  for (const files of folders) {
    const size = files.reduce((sum, file) => sum + sizeOf(file), 0)
    if (bytes + size > taskBytes || places === TASK_FOLDERS) bytes = Number.POSITIVE_INFINITY
    for (const file of files) {
      if (bytes >= taskBytes) {
        tasks.push([])
        bytes = 0
        places = 0
      }
      tasks.at(-1)!.push(file)
      bytes += sizeOf(file)
    }
    places++
  }
  return tasks
}
