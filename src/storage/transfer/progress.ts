import { formatBytes } from '../../core/bytes.ts'
import { bar, formatCount } from '../../core/progress.ts'

/** A moment of a transfer. None of its counts ever goes down. */
export interface TransferProgress {
  phase: 'copy' | 'delete' | 'done'
  /** Objects that are copied or skipped, or have failed. */
  objects: number
  /** Objects to be seen to in all; known once the listing has ended. */
  objectsTotal: number | undefined
  /** Bytes of those objects, and of the ones under way what has arrived. */
  bytes: number
  bytesTotal: number | undefined
  /** Bytes copied a second, over the last ten seconds. */
  bytesPerSecond: number
  secondsLeft: number | undefined
  deleted: number
  failed: number
  seconds: number
}

const WINDOW_MS = 10_000
/** Seconds left are not guessed from less. */
const LEAST_MS = 500

/** Counts what a transfer gets done. */
export class TransferCounter {
  phase: TransferProgress['phase'] = 'copy'
  objects = 0
  bytes = 0
  deleted = 0
  failed = 0
  /** Of those listed so far. */
  listed: { objects: number; bytes: number } = { objects: 0, bytes: 0 }
  isListed = false
  #copied = 0
  readonly #begun = performance.now()
  #samples: { time: number; copied: number }[] = [{ time: this.#begun, copied: 0 }]

  get seconds(): number {
    return (performance.now() - this.#begun) / 1000
  }

  /** An object of a listed size, of which bytes arrive, maybe more than once, until it is settled. */
  object(size: number): { arrived(bytes: number): void; settle(): void } {
    let counted = 0
    const count = (bytes: number) => {
      const more = Math.min(size, bytes) - counted
      if (more <= 0) return 0
      counted += more
      this.bytes += more
      return more
    }
    return {
      arrived: bytes => {
        this.#copied += count(bytes)
      },
      settle: () => {
        count(size)
        this.objects++
      },
    }
  }

  progress(): TransferProgress {
    const { phase, objects, bytes, deleted, failed, seconds, isListed, listed } = this
    const rate = this.#rate()
    const left = listed.bytes - bytes
    return {
      phase,
      objects,
      objectsTotal: isListed ? listed.objects : undefined,
      bytes,
      bytesTotal: isListed ? listed.bytes : undefined,
      bytesPerSecond: rate,
      secondsLeft: !isListed || (left > 0 && rate === 0) ? undefined : left === 0 ? 0 : left / rate,
      deleted,
      failed,
      seconds,
    }
  }

  #rate(): number {
    const now = { time: performance.now(), copied: this.#copied }
    const samples = this.#samples
    while (samples.length > 1 && now.time - samples[1]!.time >= WINDOW_MS) samples.shift()
    const first = samples[0]!
    if (now.time - samples.at(-1)!.time >= LEAST_MS) samples.push(now)
    const ms = now.time - first.time
    return ms < LEAST_MS ? 0 : ((now.copied - first.copied) / ms) * 1000
  }
}

/** One moment of a transfer as one line. */
export function formatTransferProgress(progress: TransferProgress): string {
  const { phase, objects, objectsTotal, bytes, bytesTotal, bytesPerSecond, secondsLeft } = progress
  const done = fractionOf(progress)
  const of = (part: string, whole: string | undefined) => (whole === undefined ? part : `${part} of ${whole}`)
  return [
    phase,
    ...(done === undefined ? [] : [`${bar(done)} ${Math.floor(done * 100)}%`]),
    `${of(formatCount(objects), objectsTotal === undefined ? undefined : formatCount(objectsTotal))} objects`,
    of(formatBytes(bytes), bytesTotal === undefined ? undefined : formatBytes(bytesTotal)),
    ...(bytesPerSecond > 0 ? [`${formatBytes(bytesPerSecond)}/s`] : []),
    ...(progress.deleted > 0 ? [`${formatCount(progress.deleted)} deleted`] : []),
    ...(progress.failed > 0 ? [`${formatCount(progress.failed)} failed`] : []),
    `${progress.seconds.toFixed(1)} s`,
    ...(phase === 'copy' && secondsLeft !== undefined ? [`${timeOf(secondsLeft)} left`] : []),
  ].join('  ')
}

/** By bytes, and where there are none by objects. */
function fractionOf({ bytes, bytesTotal, objects, objectsTotal }: TransferProgress): number | undefined {
  if (bytesTotal === undefined || objectsTotal === undefined) return undefined
  // What is left may be of no bytes.
  if (objects === objectsTotal) return 1
  const done = bytesTotal === 0 ? objects / objectsTotal : bytes / bytesTotal
  return Math.min(done, 0.99)
}

function timeOf(seconds: number): string {
  const whole = Math.ceil(seconds)
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  const two = (value: number) => String(value).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}
