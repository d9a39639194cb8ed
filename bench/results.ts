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
  samples: [ms: number, bytes: number][]
}

export interface ContestantResult {
  name: string
  peer: boolean
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
  mode?: string
  lanes?: number
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
  dataset: Omit<Dataset, 'folder'> & { name: string }
  rows: number
  mark?: number
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
  name: string,
  peer: boolean,
  rows: number,
  runs: readonly RunResult[],
  failed: string | undefined,
): ContestantResult {
  if (failed !== undefined) return { name, peer, failed, samples: [], runs: [] }
  const middle = [...runs].sort((a, b) => a.seconds - b.seconds)[Math.floor((runs.length - 1) / 2)]!
  const { mode, lanes, files, bytes, memoryBytes } = middle
  const seconds = median(runs.map(run => run.seconds))
  const highWater = runs.flatMap(run => run.budgetHighWaterBytes ?? [])
  return {
    name,
    peer,
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
    samples: thinned(middle.samples),
    runs: runs.map(({ samples: _, ...run }) => run),
  }
}

/** A job's results with each contestant's ratio to the fastest peer. */
export function jobResult(
  job: Job,
  place: string,
  { files, rows, bytes }: Dataset,
  contestants: readonly ContestantResult[],
): JobResult {
  const fastest = contestants
    .filter(({ peer, seconds }) => peer && seconds !== undefined)
    .sort((a, b) => a.seconds! - b.seconds!)[0]
  return {
    name: job.name,
    what: job.what,
    place,
    dataset: { name: job.dataset, files, rows, bytes },
    rows,
    ...(job.mark !== undefined && { mark: job.mark }),
    ...(fastest !== undefined && { fastestPeer: fastest.name }),
    contestants: contestants.map(contestant =>
      fastest === undefined || contestant.seconds === undefined
        ? contestant
        : { ...contestant, ratio: fastest.seconds! / contestant.seconds },
    ),
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
  return place === 'disk' ? name : `${name} ${place}`
}
