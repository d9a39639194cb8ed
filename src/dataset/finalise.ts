import { forEachConcurrently } from '../core/concurrency.ts'
import { isSluiceError } from '../core/errors.ts'
import type { SignalOption } from '../storage/store.ts'
import { type CommitRecord, commitKey, newestCommit, pruneCommits } from './commits.ts'
import { clearJob, doneKey } from './folder.ts'
import { claim, type Places, parallel, writeJson } from './state.ts'

/**
 * Brings the newest commit to its end, whoever made it, and returns its number: 0 if there is none. Every step
 * can be repeated, and several processes may do this at once.
 */
export async function rollForward(places: Places, options: SignalOption): Promise<number> {
  for (;;) {
    const { number, record, etag } = await newestCommit(places.state, options)
    if (record === undefined) return number
    try {
      if (record.state === 'committed') await makeVisible(places, number, record, etag!, options)
      await complete(places, number, record, options)
      return number
    } catch (error) {
      // Another process may have come first and gone further; if so, what failed here is done.
      const now = await newestCommit(places.state, options)
      if (now.number === number && now.record?.state === record.state) throw error
    }
  }
}

/** After this the dataset is the new one, for readers of the commit file and, but for the removed files, for all. */
async function makeVisible(
  { dataset, state }: Places,
  number: number,
  record: CommitRecord,
  etag: string,
  options: SignalOption,
): Promise<void> {
  await forEachConcurrently(record.added, parallel, upload => dataset.completeStaged(upload, options))
  const switched: CommitRecord = { ...record, state: 'switched' }
  const mode = state.capabilities.putIfMatch ? { ifMatch: etag } : 'overwrite'
  try {
    await writeJson(state, commitKey(number), switched, { ...options, mode })
  } catch (error) {
    if (!isSluiceError(error) || error.code !== 'precondition') throw error
  }
}

/**
 * The commit file is emptied last: as long as it says something there may be something to do. The record of a
 * named job is there before its plan goes, so that no moment looks as if the job had never been.
 */
async function complete(
  { dataset, state }: Places,
  number: number,
  record: CommitRecord,
  options: SignalOption,
): Promise<void> {
  await forEachConcurrently(record.removed, parallel, key => dataset.delete(key, options))
  if (record.named) await claim(state, doneKey(record.folder, record.hash), 'empty', options)
  await clearJob(state, record.folder, record.job, options)
  if (record.successFile) await dataset.put('_SUCCESS', new Uint8Array(0), options)
  await state.put(commitKey(number), new Uint8Array(0), options)
  await pruneCommits(state, options)
}
