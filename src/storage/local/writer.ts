import { dirname } from 'node:path'
import { SluiceError } from '../../core/errors.ts'
import type { SignalOption, StagedUpload, StagedWriter } from '../store.ts'
import { fileError } from './errors.ts'
import { etagOf } from './files.ts'
import type { LocalFolders } from './folders.ts'
import type { LocalStaging, StagedFile } from './staging.ts'

/** A staged upload while it is written. */
export class LocalStagedWriter implements StagedWriter {
  readonly #file: StagedFile
  readonly #staging: LocalStaging
  readonly #folders: LocalFolders
  #failure: unknown
  #sealed: StagedUpload | undefined

  constructor(file: StagedFile, staging: LocalStaging, folders: LocalFolders) {
    this.#file = file
    this.#staging = staging
    this.#folders = folders
  }

  async write(bytes: Uint8Array, { signal }: SignalOption = {}): Promise<void> {
    signal?.throwIfAborted()
    this.#assertOpen()
    try {
      await this.#file.write(bytes)
      this.#failure = undefined
    } catch (error) {
      throw (this.#failure = fileError(error, this.#file.path))
    }
  }

  async checkpoint({ signal }: SignalOption = {}): Promise<StagedUpload> {
    signal?.throwIfAborted()
    this.#assertOpen()
    const { name, path, size } = this.#file
    try {
      if (this.#folders.durable) await this.#file.sync()
      return { key: name.key, size, token: { id: name.id, open: true } }
    } catch (error) {
      throw fileError(error, path)
    }
  }

  async seal({ signal }: SignalOption = {}): Promise<StagedUpload> {
    signal?.throwIfAborted()
    if (this.#sealed !== undefined) return this.#sealed
    this.#assertOpen()
    if (this.#failure !== undefined) throw this.#failure
    const { name, path, size } = this.#file
    try {
      const etag = etagOf(await this.#file.finish(this.#folders.durable))
      await this.#folders.syncUp(dirname(path))
      await this.#staging.drop(this.#file, true)
      this.#sealed = { key: name.key, size, token: { id: name.id, etag } }
      return this.#sealed
    } catch (error) {
      throw fileError(error, path)
    }
  }

  async abort(): Promise<void> {
    await this.#staging.drop(this.#file)
    if (this.#sealed !== undefined) await this.#staging.remove(this.#file.path)
  }

  #assertOpen(): void {
    if (!this.#file.dropped) return
    const end = this.#sealed === undefined ? 'aborted' : 'sealed'
    throw new SluiceError('invalid-argument', `the upload is ${end} already`, { file: this.#file.name.key })
  }
}
