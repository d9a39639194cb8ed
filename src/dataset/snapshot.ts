import type { ObjectMeta, SignalOption, Store } from '../storage/store.ts'
import { type NewestCommit, newestCommit } from './commits.ts'
import { isDataFile, isHidden } from './hive.ts'
import { stateStore } from './state.ts'

export interface SnapshotOptions extends SignalOption {
  /** Lists what may be data, in the order of the keys. @default all keys */
  list?: (signal: AbortSignal | undefined) => AsyncIterable<ObjectMeta>
  /** Which keys are data, of those that are not hidden. @default those that end in `.parquet` */
  match?: (key: string) => boolean
  /**
   * Where the dataset's jobs and commits are kept; `null` for a folder that Sluice never writes to, and whose
   * listing is the truth. @default `_sluice/<path>/` at the root of the store
   */
  state?: Store | null
}

/** The files that a dataset consists of between two commits. */
export interface Snapshot {
  /** In the order of their keys. */
  objects: ObjectMeta[]
  /** Number of the last commit that is part of it; 0 if there is none. */
  commit: number
}

/**
 * The dataset as the last commit left it: one listing, corrected by what the newest commit says of files that
 * are on their way in or out. If a commit moves meanwhile, it is read again. It takes two or three small requests
 * beside the listing, whatever the size and the history of the dataset.
 */
export async function readSnapshot(dataset: Store, options: SnapshotOptions = {}): Promise<Snapshot> {
  const { signal, match = isDataFile, state = stateStore(dataset) } = options
  const { list: listed = signal => dataset.list({ signal }) } = options
  if (state === null) return { objects: await list(), commit: 0 }
  for (;;) {
    const before = await newestCommit(state, { signal })
    const objects = await list()
    if (same(before, await newestCommit(state, { signal }))) return settled(objects, before)
  }

  async function list(): Promise<ObjectMeta[]> {
    const objects: ObjectMeta[] = []
    for await (const object of listed(signal)) {
      if (!isHidden(object.key) && match(object.key)) objects.push(object)
    }
    return objects
  }
}

function same(a: NewestCommit, b: NewestCommit): boolean {
  return a.number === b.number && a.record?.state === b.record?.state
}

function settled(objects: ObjectMeta[], { number, record }: NewestCommit): Snapshot {
  if (record === undefined) return { objects, commit: number }
  const committed = record.state === 'committed'
  const absent = new Set(committed ? record.added.map(upload => upload.key) : record.removed)
  return {
    objects: objects.filter(object => !absent.has(object.key)),
    commit: committed ? number - 1 : number,
  }
}
