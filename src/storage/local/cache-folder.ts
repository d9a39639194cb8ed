import { hash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RangeIndex } from '../cache/range-index.ts'
import type { ByteRange } from '../store.ts'

/** Of files that a process has not finished: older ones are nobody's. */
const ABANDONED_MS = 3_600_000
const PARTIAL = /^\.[0-9a-f-]{36}\.partial$/
const ENTRY = /^([0-9a-f]{64})-(\d+)-(\d+)$/

/**
 * Stretches of objects as files of a folder, which processes may share and which survives them. A file has a checksum
 * over what it is and its bytes; it appears whole; one that is damaged, or that another process has removed, is not
 * there. What goes wrong with the folder is a miss and no failure: there is a store to ask.
 *
 * `bytes` bounds what a process knows of: what was there when it began, and what it has added.
 */
export class CacheFolder {
  readonly #folder: string
  readonly #index: RangeIndex<string>
  #loaded: Promise<void> | undefined

  constructor(folder: string, bytes: number) {
    this.#folder = folder
    this.#index = new RangeIndex(bytes, ({ value }) => void this.#remove(value))
  }

  /** The bytes of a stretch, if it is there. */
  async get(object: string, range: ByteRange): Promise<Uint8Array | undefined> {
    await this.#load()
    const found = this.#index.find(digestOf(object), range)
    if (found === undefined) return undefined
    try {
      const path = join(this.#folder, found.value)
      const bytes = contentOf(await readFile(path), headerOf(object, found))
      if (bytes !== undefined) {
        const now = new Date()
        await utimes(path, now, now).catch(() => undefined)
        return bytes.subarray(range.start - found.start, range.end - found.start)
      }
    } catch {
      // It is gone, or cannot be read.
    }
    this.#index.remove(found)
    await this.#remove(found.value)
    return undefined
  }

  async put(object: string, { start, end }: ByteRange, bytes: Uint8Array): Promise<void> {
    await this.#load()
    const digest = digestOf(object)
    const name = `${digest}-${start}-${end}`
    const partial = join(this.#folder, `.${randomUUID()}.partial`)
    const content = Buffer.concat([headerOf(object, { start, end }), bytes])
    try {
      await writeFile(partial, [checksumOf(content), content])
      await rename(partial, join(this.#folder, name))
      const size = CHECKSUM + content.length
      this.#index.add({ object: digest, start, end, value: name, size })
    } catch {
      await unlink(partial).catch(() => undefined)
    }
  }

  #load(): Promise<void> {
    return (this.#loaded ??= this.#scan().catch(() => undefined))
  }

  /** Finds what is there, the one that was used last at the end. */
  async #scan(): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    const files: { name: string; size: number; used: number }[] = []
    for (const name of await readdir(this.#folder)) {
      if (!ENTRY.test(name) && !PARTIAL.test(name)) continue
      const found = await stat(join(this.#folder, name)).catch(() => undefined)
      if (found === undefined) continue
      if (ENTRY.test(name)) files.push({ name, size: found.size, used: found.mtimeMs })
      else if (Date.now() - found.mtimeMs > ABANDONED_MS) await this.#remove(name)
    }
    for (const { name, size } of files.sort((a, b) => a.used - b.used)) {
      const [, object = '', start, end] = ENTRY.exec(name) ?? []
      this.#index.add({ object, start: Number(start), end: Number(end), value: name, size })
    }
  }

  async #remove(name: string): Promise<void> {
    await unlink(join(this.#folder, name)).catch(() => undefined)
  }
}

function digestOf(object: string): string {
  return hash('sha256', object)
}

/** What a file says it holds: read back it has to be the same, whatever the file is called. */
function headerOf(object: string, { start, end }: ByteRange): Buffer {
  return Buffer.from(`${JSON.stringify([object, start, end])}\n`)
}

function contentOf(file: Buffer, header: Buffer): Uint8Array | undefined {
  const content = file.subarray(CHECKSUM)
  if (!checksumOf(content).equals(file.subarray(0, CHECKSUM))) return undefined
  return content.subarray(0, header.length).equals(header) ? content.subarray(header.length) : undefined
}

const CHECKSUM = 32

function checksumOf(content: Uint8Array): Buffer {
  return hash('sha256', content, 'buffer')
}
