import type { Contestant } from './contestants.ts'
import type { Dataset } from './data.ts'
import type { Job } from './jobs.ts'

/** One measured run. */
export interface RunResult {
  seconds: number
  /** The whole process, start-up and imports too. */
  processSeconds: number
  peakRssBytes: number
  /** Of rewrites. */
  files?: number
  bytes?: number
  /** Of Sluice. */
  mode?: string
  lanes?: number
  budgetHighWaterBytes?: number
  /** The budget. */
  memoryBytes?: number
  pagesDecoded?: number
  samples: [ms: number, bytes: number][]
}

export interface ContestantResult {
  name: string
  peer: boolean
  /** What the others are measured by: no contestant. */
  reference?: boolean
  /** Medians; absent if it failed. */
  seconds?: number
  processSeconds?: number
  rowsPerSecond?: number
  peakRssBytes?: number
  budgetHighWaterBytes?: number
  memoryBytes?: number
  files?: number
  bytes?: number
  /** The fastest peer's seconds through these: above 1, this one is faster. */
  ratio?: number
  /** The seconds of a plain copy through these. */
  copyRatio?: number
  mode?: string
  lanes?: number
  pagesDecoded?: number
  /** So slow that the run whose rows were checked is the only one. */
  once?: boolean
  /** Why there are no times: an error, or rows that are not the right ones. */
  failed?: string
  /** Memory over time in the run whose time is the median. */
  samples: [ms: number, bytes: number][]
  runs: Omit<RunResult, 'samples'>[]
}

export interface JobResult {
  name: string
  what: string
  place: string
  dataset: Omit<Dataset, 'folders'> & { name: string }
  rows: number
  mark?: number
  copyMark?: number
  fastestPeer?: string
  contestants: ContestantResult[]
}

export interface Results {
  format: 1
  date: string
  command: string
  /** Of the repository, where it is one. */
  commit?: string
  machine: { cpu: string; cores: number; memoryBytes: number; system: string; node: string }
  options: { scale: number; runs: number; threads: number; memory: string }
  /** Contestant → version, and what is special about it. */
  versions: Record<string, string>
  notes: Record<string, string>
  /** Peers that were wanted and are not installed. */
  missing: string[]
  jobs: JobResult[]
}

export function contestantResult(
  { name, peer, reference }: Pick<Contestant, 'name' | 'peer' | 'reference'>,
  rows: number,
  runs: readonly RunResult[],
  failed: string | undefined,
): ContestantResult {
  const who = { name, peer, ...(reference && { reference }) }
  if (failed !== undefined) return { ...who, failed, samples: [], runs: [] }
  const middle = [...runs].sort((a, b) => a.seconds - b.seconds)[Math.floor((runs.length - 1) / 2)]!
  const { mode, lanes, files, bytes, memoryBytes, pagesDecoded } = middle
  const seconds = median(runs.map(run => run.seconds))
  const highWater = runs.flatMap(run => run.budgetHighWaterBytes ?? [])
  return {
    ...who,
    seconds,
    processSeconds: median(runs.map(run => run.processSeconds)),
    rowsPerSecond: rows / seconds,
    peakRssBytes: median(runs.map(run => run.peakRssBytes)),
    ...(highWater.length > 0 && { budgetHighWaterBytes: median(highWater) }),
    ...(memoryBytes !== undefined && { memoryBytes }),
    ...(files !== undefined && { files }),
    ...(bytes !== undefined && { bytes }),
    ...(mode !== undefined && { mode }),
    ...(lanes !== undefined && { lanes }),
    ...(pagesDecoded !== undefined && { pagesDecoded }),
    samples: thinned(middle.samples),
    runs: runs.map(({ samples: _, ...run }) => run),
  }
}

/** A job's results with each contestant's ratio to the fastest peer, and to a plain copy. */
export function jobResult(
  job: Job,
  place: string,
  { files, rows, bytes }: Dataset,
  contestants: readonly ContestantResult[],
): JobResult {
  const fastest = contestants
    .filter(({ peer, seconds }) => peer && seconds !== undefined)
    .sort((a, b) => a.seconds! - b.seconds!)[0]
  const copy = contestants.find(({ reference }) => reference)
  return {
    name: job.name,
    what: job.what,
    place,
    dataset: { name: job.datasets.join(' and '), files, rows, bytes },
    rows,
    ...(job.mark !== undefined && { mark: job.mark }),
    ...(job.copyMark !== undefined && { copyMark: job.copyMark }),
    ...(fastest !== undefined && { fastestPeer: fastest.name }),
    contestants: contestants.map(contestant => {
      const { seconds } = contestant
      if (seconds === undefined) return contestant
      return {
        ...contestant,
        ...(fastest !== undefined && { ratio: fastest.seconds! / seconds }),
        ...(copy?.seconds !== undefined && { copyRatio: copy.seconds / seconds }),
      }
    }),
  }
}

/** Sluice's modes, as contestants are called. */
const MODES = {
  auto: 'sluice',
  streaming: 'sluice-streaming',
  fragment: 'sluice-fragment',
  batch: 'sluice-batch',
}

/** A job's results for each mode of Sluice that has a time; `auto` says in brackets what it chose. */
export function modesOf({
  contestants,
}: JobResult): { mode: string; label: string; result: ContestantResult }[] {
  return Object.entries(MODES).flatMap(([mode, name]) => {
    const result = contestants.find(contestant => contestant.name === name)
    if (result?.seconds === undefined) return []
    return { mode, label: mode === 'auto' ? `auto (${result.mode})` : mode, result }
  })
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** At most 200 samples, the greatest of its neighbours for each. */
function thinned(samples: readonly [number, number][]): [number, number][] {
  const width = Math.ceil(samples.length / 200)
  const thin: [number, number][] = []
  for (let i = 0; i < samples.length; i += width) {
    thin.push(samples.slice(i, i + width).reduce((most, sample) => (sample[1] > most[1] ? sample : most)))
  }
  return thin
}

/** A job's name, and its place where that is not the disk. */
export function jobLabel({ name, place }: Pick<JobResult, 'name' | 'place'>): string {
  return place === 'disk' ? name : `${name} (${placeName(place)})`
}

export function placeName(place: string): string {
  return place === 'ramdisk' ? 'memory disk' : place
}

/** How many times as fast as the fastest peer, and as a copy, Sluice is to be. */
export function marks({ mark, copyMark }: JobResult): string {
  return [
    ...(mark === undefined ? [] : [`${mark} × the fastest peer`]),
    ...(copyMark === undefined ? [] : [`${copyMark} × a plain copy`]),
  ].join(', ')
}
