import { createHash, type Hash } from 'node:crypto'
import { MemoryStore } from '../../../src/storage/memory.ts'
import type {
  ByteRange,
  GetOptions,
  GetRangesOptions,
  GetResult,
  ObjectInfo,
  ObjectMeta,
  StagedUpload,
  StagedWriter,
} from '../../../src/storage/store.ts'

/** Prime, so that pieces of any usual size differ. */
const PERIOD = 1_000_003
const period = Buffer.alloc(PERIOD)
for (let i = 0; i < PERIOD; i++) period[i] = (i * 2_654_435_761) >>> 24

/** One object of any size, `large`, whose bytes are made as they are read. */
export class GeneratedStore extends MemoryStore {
  readonly #meta: ObjectInfo

  constructor(size: number) {
    super('generated')
    this.#meta = { key: 'large', size, etag: 'generated', lastModified: new Date(0) }
  }

  override async head(): Promise<ObjectInfo> {
    return this.#meta
  }

  override async *list(): AsyncGenerator<ObjectMeta, void, undefined> {
    yield this.#meta
  }

  override async get(_key: string, { range }: GetOptions = {}): Promise<GetResult> {
    const { size } = this.#meta
    const start = range !== undefined && 'start' in range ? range.start : 0
    const end = range !== undefined && 'start' in range ? Math.min(size, range.end ?? size) : size
    return { meta: this.#meta, range: { start, end }, body: generate(start, end) }
  }

  override async getRanges(
    _key: string,
    ranges: readonly ByteRange[],
    { allocate = bytes => new Uint8Array(bytes) }: GetRangesOptions = {},
  ): Promise<Uint8Array[]> {
    // As any request does, it lets timers run.
    await new Promise(resolve => setImmediate(resolve))
    return ranges.map(({ start, end }) => fill(allocate(end - start), start))
  }
}

/** Takes staged uploads, and keeps nothing of them but the SHA-256 of the last one. */
export class DigestStore extends MemoryStore {
  digest: string | undefined
  #hash: Hash = createHash('sha256')
  #size = 0

  override async stage(key: string): Promise<StagedWriter> {
    this.#hash = createHash('sha256')
    this.#size = 0
    const upload = (): StagedUpload => ({ key, size: this.#size, token: {} })
    return {
      write: async bytes => {
        this.#hash.update(bytes)
        this.#size += bytes.length
      },
      checkpoint: async () => upload(),
      seal: async () => upload(),
      abort: async () => undefined,
    }
  }

  override async completeStaged({ key, size }: StagedUpload): Promise<ObjectMeta> {
    this.digest = this.#hash.digest('hex')
    return { key, size, etag: this.digest, lastModified: new Date() }
  }
}

export function digestOf(size: number): string {
  const hash = createHash('sha256')
  for (let at = 0; at < size; at += PERIOD) hash.update(period.subarray(0, Math.min(PERIOD, size - at)))
  return hash.digest('hex')
}

async function* generate(start: number, end: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = start; at < end; at += 65_536) yield fill(new Uint8Array(Math.min(65_536, end - at)), at)
}

function fill(into: Uint8Array, start: number): Uint8Array {
  for (let done = 0; done < into.length; ) {
    const from = (start + done) % PERIOD
    const part = period.subarray(from, Math.min(PERIOD, from + into.length - done))
    into.set(part, done)
    done += part.length
  }
  return into
}
