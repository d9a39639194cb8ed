import { createHash } from 'node:crypto'
import { SluiceError } from '../../core/errors.ts'
import { putJson, readJson } from '../read.ts'
import type { ObjectMeta, SignalOption, StagedUpload, Store } from '../store.ts'
import { STATE } from './selection.ts'

/** A large object on its way: of which version it is, and how far its upload has got. */
interface Entry {
  version: 1
  key: string
  etag: string
  size: number
  /** Its key is that in the destination. */
  upload: StagedUpload
}

/**
 * What a transfer leaves behind when it is killed: below `_sluice/transfers/` at the root of the destination, an
 * entry for each large object on its way. The same transfer, run again, goes on with them; at its end there are none.
 */
export class TransferJournal {
  readonly #folder: string
  readonly #root: Store
  readonly #to: Store
  /** Left by an earlier run. */
  readonly #left = new Map<string, Entry>()

  private constructor(root: Store, to: Store, folder: string) {
    this.#root = root
    this.#to = to
    this.#folder = folder
  }

  /** Reads what an earlier run of a transfer between the same places has left. */
  static async open(from: Store, to: Store, options: SignalOption): Promise<TransferJournal> {
    const id = createHash('sha256').update(`${from.url}\0${to.url}`).digest('hex').slice(0, 16)
    const journal = new TransferJournal(to.root.store, to, `${STATE}transfers/${id}/`)
    for await (const { key } of journal.#root.list({ prefix: journal.#folder, ...options })) {
      const entry = await readJson(journal.#root, key, options).catch((error: unknown) => {
        // Half a line cannot be: somebody else wrote it, or a run that is still going on has removed it.
        if (error instanceof SluiceError && ['corrupt', 'not-found'].includes(error.code)) return undefined
        throw error
      })
      if (isEntry(entry)) journal.#left.set(entry.key, entry)
      else await journal.#root.delete(key, options)
    }
    return journal
  }

  /** The upload that an earlier run has begun of this version; one of another version is ended. */
  async take(object: ObjectMeta, options: SignalOption): Promise<StagedUpload | undefined> {
    const entry = this.#left.get(object.key)
    if (entry === undefined) return undefined
    this.#left.delete(object.key)
    if (entry.etag === object.etag && entry.size === object.size) return entry.upload
    await this.#to.abortStaged(entry.upload, options)
    return undefined
  }

  async record({ key, etag, size }: ObjectMeta, upload: StagedUpload, options: SignalOption): Promise<void> {
    const entry: Entry = { version: 1, key, etag, size, upload }
    await putJson(this.#root, this.#place(key), entry, options)
  }

  async remove(key: string): Promise<void> {
    await this.#root.delete(this.#place(key))
  }

  /** Ends what nobody went on with. */
  async clear(options: SignalOption): Promise<void> {
    for (const [key, { upload }] of this.#left) {
      await this.#to.abortStaged(upload, options)
      await this.remove(key)
    }
    this.#left.clear()
  }

  /** Keys can be longer than the name of an entry may be. */
  #place(key: string): string {
    return `${this.#folder}${createHash('sha256').update(key).digest('hex').slice(0, 32)}.json`
  }
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false
  const { version, key, etag, size, upload } = value as Partial<Record<keyof Entry, unknown>>
  if (typeof upload !== 'object' || upload === null) return false
  const { key: staged, size: safe, token } = upload as Partial<StagedUpload>
  return (
    version === 1 &&
    typeof key === 'string' &&
    typeof etag === 'string' &&
    typeof size === 'number' &&
    staged === key &&
    typeof safe === 'number' &&
    safe <= size &&
    typeof token === 'object'
  )
}
