import { parseBytes } from '../../core/bytes.ts'
import { SluiceError } from '../../core/errors.ts'
import type { ObjectMeta, SignalOption, Store } from '../store.ts'
import type { TransferProgress } from './progress.ts'
import type { TransferEvent } from './report.ts'

export interface TransferOptions extends SignalOption {
  /** Globs of the keys, or which objects; of the destination's, which may be deleted. @default all */
  select?: string | readonly string[] | ((object: ObjectMeta) => boolean) | undefined
  /** Globs of keys that are left alone in either place. @default none */
  exclude?: string | readonly string[] | undefined
  /**
   * What is done where the destination has an object of that key. `skip-same`: it is replaced unless it is the same
   * ({@link transfer} says when). `error`: the key fails. @default 'skip-same'
   */
  existing?: 'skip-same' | 'overwrite' | 'error' | undefined
  /** Deletes what the destination has, within the selection, and the source has not. @default false */
  delete?: boolean | undefined
  /** Deletes even if the source has nothing at all. @default false */
  force?: boolean | undefined
  /**
   * `size`: as many bytes have to have arrived. `checksum`: the object is read back and has to have the SHA-256 of
   * what was read from the source; if it has not, it is deleted. @default 'size'
   */
  verify?: 'size' | 'checksum' | false | undefined
  /** Objects on their way at once. @default 16 */
  concurrency?: number | undefined
  /** Bytes on their way at once, as a number or as text such as `64MiB`; at least 32 MiB. @default '128MiB' */
  memory?: number | string | undefined
  /** Begins nothing more once an object has failed. @default false */
  stopOnError?: boolean | undefined
  /** Says what would be done, and does nothing. @default false */
  dryRun?: boolean | undefined
  /** `true`: a bar on stderr if that is a terminal, else a line every few seconds; or a function. @default false */
  progress?: boolean | ((progress: TransferProgress) => void) | undefined
  /** Called, and waited for, for each object once it is known what has become of it. */
  onObject?: ((event: TransferEvent) => void | Promise<void>) | undefined
}

/** Options as they are worked with. */
export interface TransferSettings {
  existing: 'skip-same' | 'overwrite' | 'error'
  verify: 'size' | 'checksum' | false
  concurrency: number
  memory: number
  delete: boolean
  force: boolean
  stopOnError: boolean
  dryRun: boolean
  signal: AbortSignal | undefined
}

/** Bytes that are read, or become part of an upload, at once. An object of no more is put in one piece. */
export const PIECE: number = 8 * 1024 * 1024

/** Of a large object in memory besides what is read ahead: the piece in hand, and two parts of its upload. */
export const PIECES_IN_HAND = 3

export function validateTransfer(from: Store, to: Store, options: TransferOptions): TransferSettings {
  const { existing = 'skip-same', verify = 'size', concurrency = 16 } = options
  oneOf('existing', existing, ['skip-same', 'overwrite', 'error'])
  oneOf('verify', verify, ['size', 'checksum', false])
  if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
    throw new SluiceError('invalid-argument', `must be a whole number above 0, not ${concurrency}`, {
      option: 'concurrency',
    })
  }
  const memory = parseBytes(options.memory ?? '128MiB', 'memory')
  if (memory < (PIECES_IN_HAND + 1) * PIECE) {
    throw new SluiceError('invalid-argument', `must be at least 32 MiB, not ${memory} bytes`, {
      option: 'memory',
    })
  }
  if (!to.capabilities.write) {
    throw new SluiceError('unsupported', 'the destination cannot be written to', { file: to.url })
  }
  if (options.delete && !to.capabilities.list) {
    throw new SluiceError('unsupported', 'the destination cannot be listed', {
      option: 'delete',
      file: to.url,
    })
  }
  assertApart(from, to)
  return {
    existing,
    verify,
    concurrency,
    memory,
    delete: options.delete ?? false,
    force: options.force ?? false,
    stopOnError: options.stopOnError ?? false,
    dryRun: options.dryRun ?? false,
    signal: options.signal,
  }
}

/** Neither may lie within the other: a listing could then see what has just been copied. */
function assertApart(from: Store, to: Store): void {
  const shared = from.root.store === to.root.store
  // The same folder opened twice; a bucket's URL does not tell whose it is.
  const local = from.url.startsWith('file:')
  if (!shared && !local) return
  const [a, b] = shared ? [from.root.prefix, to.root.prefix] : [`${from.url}/`, `${to.url}/`]
  if (!a.startsWith(b) && !b.startsWith(a)) return
  throw new SluiceError('invalid-argument', `lies within the other place, ${from.url}`, {
    option: 'to',
    file: to.url,
    hint: 'Copy to a folder beside it.',
  })
}

function oneOf(option: string, value: unknown, choices: readonly unknown[]): void {
  if (choices.includes(value)) return
  const words = choices.map(choice => (typeof choice === 'string' ? `'${choice}'` : String(choice)))
  throw new SluiceError('invalid-argument', `must be one of ${words.join(', ')}, not ${String(value)}`, {
    option,
  })
}
