import type { ContestantResult, Results } from '../results.ts'
import type { StorageJob, StorageScale } from './jobs.ts'

export interface StorageContestantResult extends ContestantResult {
  /** Its rate through the rate of others in the same run: of obstore, and of what limits it. */
  ratios: { obstore?: number; socket?: number; disk?: number; server?: number }
}

export interface StorageJobResult extends StorageJob {
  place: string
  fastestPeer?: string
  contestants: StorageContestantResult[]
}

export interface StorageResults
  extends Omit<Results, 'format' | 'options' | 'jobs'>,
    Record<'options', StorageScale & { runs: number }> {
  format: 'storage-1'
  jobs: StorageJobResult[]
}

export function storageJobResult(
  job: StorageJob,
  place: string,
  contestants: readonly ContestantResult[],
): StorageJobResult {
  const named = (name: string) => contestants.find(contestant => contestant.name === name)?.seconds
  const [fastest] = contestants
    .filter(({ peer, seconds }) => peer && seconds !== undefined)
    .sort((a, b) => a.seconds! - b.seconds!)
  return {
    ...job,
    place,
    ...(fastest && { fastestPeer: fastest.name }),
    contestants: contestants.map(contestant => {
      const { seconds } = contestant
      if (seconds === undefined) return { ...contestant, ratios: {} }
      const ratios: StorageContestantResult['ratios'] = {}
      for (const name of ['obstore', 'socket', 'disk'] as const) {
        const other = named(name)
        if (other !== undefined) ratios[name] = other / seconds
      }
      return { ...contestant, ...(fastest && { ratio: fastest.seconds! / seconds }), ratios }
    }),
  }
}

/**
 * Adds to copies through the client what the server can serve at best: nobody can read and write an object faster than
 * the fastest of all has read one, or has written one, whichever takes longer.
 */
export function withServerLimit(jobs: readonly StorageJobResult[]): StorageJobResult[] {
  const best = (name: string, place: string) => {
    const job = jobs.find(job => job.name === name && job.place === place)
    const times = job?.contestants.flatMap(({ reference, seconds }) => (reference ? [] : (seconds ?? [])))
    return times === undefined || times.length === 0 ? undefined : Math.min(...times)
  }
  return jobs.map(job => {
    const [put, get] = [best('put-large', job.place), best('get-large', job.place)]
    if (job.name !== 'copy-streamed' || put === undefined || get === undefined) return job
    const limited = (contestant: StorageContestantResult) =>
      contestant.seconds === undefined
        ? contestant
        : { ...contestant, ratios: { ...contestant.ratios, server: Math.max(put, get) / contestant.seconds } }
    return { ...job, contestants: job.contestants.map(limited) }
  })
}

/** Bytes a second of large objects; of many, objects a second. */
export function rate({ objects, bytes }: StorageJob, seconds: number): string {
  if (objects === 1) return `${Math.round(bytes / seconds / 1e6).toLocaleString('en')} MB/s`
  return `${Math.round(objects / seconds).toLocaleString('en')} /s`
}
