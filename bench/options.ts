import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { contestants } from './contestants.ts'
import { folder } from './folder.ts'
import { jobs } from './jobs.ts'

export const usage = `npm run bench -- [options], or storage [options]

  --scale N        1: files of 1,000,000 rows; 0.02: of 20,000; from 0.001 on (default: 1)
  --runs N         measured runs of each contestant, after one that is checked (default: 5)
  --jobs a,b       ${jobs.map(job => job.name).join(', ')} (default: all)
  --modes          Sluice's modes only, each with all runs: no peers
  --peers a,b      ${contestants
    .filter(({ peer }) => peer)
    .map(({ name }) => name)
    .join(', ')}; or none (default: all)
  --growth a,b     also rewrite-day on so many times the data, such as 5,20
  --threads N      threads of every contestant, lanes of Sluice              (default: one a core)
  --memory SIZE    Sluice's budget                                          (default: 512MiB)
  --disk DIR       where data is kept and output written                    (default: bench/data)
  --ramdisk DIR    a folder on a memory disk, where the jobs are run again
  --ramdisk-jobs a,b
                   which of them                                            (default: all)
  --output DIR     for the JSON and the HTML page                           (default: bench/results)
  --smoke          a small scale, few jobs, one run, only peers that are installed`

export interface Options {
  scale: number
  runs: number
  jobs: string[]
  modes: boolean
  peers: string[]
  growth: number[]
  threads: number
  memory: string
  /** Null: all. */
  ramdiskJobs: string[] | null
  places: { name: 'disk' | 'ramdisk'; folder: string }[]
  output: string
  smoke: boolean
}

/** A wrong command line; its message is for the user. */
export class UsageError extends Error {}

export function parseOptions(argv: readonly string[]): Options {
  const text = { type: 'string' } as const
  const { values } = parse(() =>
    parseArgs({
      args: [...argv],
      options: {
        scale: text,
        runs: text,
        jobs: text,
        modes: { type: 'boolean' },
        peers: text,
        growth: text,
        threads: text,
        memory: text,
        disk: text,
        ramdisk: text,
        'ramdisk-jobs': text,
        output: text,
        smoke: { type: 'boolean' },
      },
    }),
  )
  const { smoke = false, modes = false, disk, ramdisk } = values
  const smokeJobs = [
    'decode-all',
    'rewrite-month',
    ...jobs.filter(job => job.maintenance).map(job => job.name),
  ]
  const jobNames = jobs.map(({ name }) => name)
  const peerNames = contestants.filter(({ peer }) => peer).map(({ name }) => name)
  return {
    smoke,
    modes,
    scale: number('scale', values.scale, smoke ? 0.002 : 1, value => value >= 0.001),
    runs: number('runs', values.runs, smoke ? 1 : 5, isCount),
    jobs: names('jobs', values.jobs, smoke ? smokeJobs : jobNames, jobNames),
    peers: modes || values.peers === 'none' ? [] : names('peers', values.peers, peerNames, peerNames),
    growth: (values.growth?.split(',') ?? []).map(item => number('growth', item, 1, isCount)),
    threads: number('threads', values.threads, availableParallelism(), isCount),
    memory: values.memory ?? '512MiB',
    ramdiskJobs:
      values['ramdisk-jobs'] === undefined
        ? null
        : names('ramdisk-jobs', values['ramdisk-jobs'], [], jobNames),
    places: [
      { name: 'disk', folder: resolve(disk ?? join(folder, 'data')) },
      ...(ramdisk === undefined ? [] : [{ name: 'ramdisk' as const, folder: resolve(ramdisk) }]),
    ],
    output: resolve(values.output ?? join(folder, 'results')),
  }
}

export const isCount = (value: number): boolean => Number.isInteger(value) && value > 0

export function number(
  option: string,
  text: string | undefined,
  fallback: number,
  ok: (value: number) => boolean,
): number {
  const value = text === undefined ? fallback : Number(text)
  if (!ok(value)) throw new UsageError(`--${option}: cannot be ${text}`)
  return value
}

export function names(
  option: string,
  text: string | undefined,
  fallback: string[],
  known: string[],
): string[] {
  if (text === undefined) return fallback
  const wanted = text.split(',')
  const unknown = wanted.filter(name => !known.includes(name))
  if (unknown.length > 0)
    throw new UsageError(`--${option}: no ${unknown.join(', ')}; there is ${known.join(', ')}`)
  return wanted
}

export function parse<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
