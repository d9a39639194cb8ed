import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SluiceError } from '../../core/errors.ts'
import { LocalCalls } from './calls.ts'
import { fileError } from './errors.ts'
import { LocalFile } from './file.ts'

const { O_CREAT, O_EXCL, O_RDWR } = constants
const calls = new LocalCalls()

/**
 * Bytes for which there is no memory, in a file of the system's temporary folder (`TMPDIR`). It has no name: whatever
 * becomes of the process, it goes with it.
 */
export class SpillFile {
  readonly #file: LocalFile
  readonly #path: string

  private constructor(file: LocalFile, path: string) {
    this.#file = file
    this.#path = path
  }

  static async create(): Promise<SpillFile> {
    const path = join(tmpdir(), `sluice-${randomUUID()}`)
    try {
      const file = await LocalFile.open(calls, path, O_CREAT | O_EXCL | O_RDWR)
      await unlink(path)
      return new SpillFile(file, path)
    } catch (error) {
      throw fileError(error, path)
    }
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    try {
      for (let done = 0; done < bytes.length; ) {
        done += await this.#file.write(bytes.subarray(done), position + done)
      }
    } catch (error) {
      throw fileError(error, this.#path)
    }
  }

  async read(into: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < into.length; ) {
        const read = await this.#file.read(into.subarray(done), done)
        if (read === 0) throw new SluiceError('io', 'the file was cut short', { file: this.#path })
        done += read
      }
    } catch (error) {
      throw fileError(error, this.#path)
    }
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}
