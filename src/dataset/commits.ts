import type { SignalOption, StagedUpload, Store } from '../storage/store.ts'
import { readJson } from './state.ts'

/** What a commit does to the dataset; the content of its file until it is finished. */
export interface CommitRecord {
  version: 1
  /** `committed`: the added files are becoming visible. `switched`: they are; the removed ones are being deleted. */
  state: 'committed' | 'switched'
  /** Id of the job. */
  job: string
  /** Its folder under `jobs/`, and the hash that its record is to carry if it has a name. */
  folder: string
  named: boolean
  hash: string
  added: StagedUpload[]
  removed: string[]
  /** Whether to leave an empty `_SUCCESS` beside the data. */
  successFile: boolean
}

/** The newest commit of a dataset; number 0 if there never was one, no record once it is finished. */
export interface NewestCommit {
  number: number
  record?: CommitRecord
  /** Of the commit file, while it holds a record. */
  etag?: string
}

/** Finished commit files that are kept: what a slow process still takes for the newest should be there. */
const kept = 8

/** The file of a commit. The number has a fixed width, so that a listing is in order. */
export function commitKey(number: number): string {
  return `commits/${String(number).padStart(12, '0')}.json`
}

/** The numbers that are taken, ascending, and whether each file is empty. */
export async function listCommits(
  state: Store,
  options: SignalOption,
): Promise<{ number: number; empty: boolean }[]> {
  const { objects } = await state.listLevel({ ...options, prefix: 'commits/' })
  return objects
    .flatMap(({ key, size }) => {
      const digits = /^commits\/(\d{12})\.json$/.exec(key)
      return digits === null ? [] : [{ number: Number(digits[1]), empty: size === 0 }]
    })
    .sort((a, b) => a.number - b.number)
}

/**
 * The newest commit. A record counts only if its number is still the newest after it was read: a slow process
 * may just have taken a number that had been pruned, and is about to withdraw.
 */
export async function newestCommit(state: Store, options: SignalOption): Promise<NewestCommit> {
  for (;;) {
    const newest = (await listCommits(state, options)).at(-1)
    if (newest === undefined) return { number: 0 }
    const { number } = newest
    if (newest.empty) return { number }
    const file = await readJson<CommitRecord>(state, commitKey(number), options)
    if (file !== undefined && file.value === undefined) return { number }
    const again = (await listCommits(state, options)).at(-1)
    if (file?.value !== undefined && again?.number === number) {
      return { number, record: file.value, etag: file.etag }
    }
  }
}

/** Deletes the files of commits long finished. What a killed process left at an old number goes with them. */
export async function pruneCommits(state: Store, options: SignalOption): Promise<void> {
  const commits = await listCommits(state, options)
  const newest = commits.at(-1)?.number ?? 0
  for (const { number } of commits) {
    if (number <= newest - kept) await state.delete(commitKey(number), options)
  }
}
