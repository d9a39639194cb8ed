import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunReport } from '../src/index.ts'
import type { Contestant } from './contestants.ts'
import { folder } from './folder.ts'
import type { Task } from './jobs.ts'
import { statement } from './sql.ts'

/** What a child prints. */
interface Answer {
  version: string
  /** Unix time in milliseconds. */
  startedAt: number
  seconds: number
  peakRssBytes: number
  /** Rows decoded; of a rewrite, its files tell. */
  rows?: number | null
  report?: RunReport
  /** Of objects that were read, and of what they hold if that was to be checked. */
  bytes?: number
  sha256?: string
}

export interface Measured extends Answer {
  /** From spawn to exit. */
  processSeconds: number
  /** Memory over time: milliseconds since the job's start, resident bytes. Only where there is /proc. */
  samples: [ms: number, bytes: number][]
}

export interface Place {
  /** Folders, one after another. */
  data: readonly string[]
  out: string
  threads: number
  memory: string
  /** After the measurement, save what was decoded in `out`. */
  check: boolean
  /** To be copied by those who copy. */
  bytes?: number
}

const SAMPLE_MS = 10

/** Has a contestant do a task of Parquet's in a process of its own. */
export async function runChild(contestant: Contestant, task: Task, place: Place): Promise<Measured> {
  const { oneLane = false, ...settings } = contestant.settings ?? { mode: 'auto' }
  const threads = oneLane ? 1 : place.threads
  const { kind, columns, where, derive, aggregate, by, rename, drop, maintenance } = task
  const input = {
    kind,
    columns,
    where,
    derive,
    aggregate,
    by,
    rename,
    drop,
    maintenance,
    ...place,
    threads,
    ...settings,
    statement: statement(task, place.data, place.out),
  }
  return runProgram(contestant, input, { POLARS_MAX_THREADS: String(threads) })
}

/** Has a contestant's program do what `input` says, in a process of its own, and looks at its memory meanwhile. */
export async function runProgram(
  contestant: Pick<Contestant, 'name' | 'command' | 'script'>,
  input: object,
  env: Readonly<Record<string, string>>,
): Promise<Measured> {
  const [program, ...args] = contestant.command(join(folder, 'jobs', contestant.script))
  const spawned = Date.now()
  const child = spawn(program!, [...args, JSON.stringify(input)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  const samples: [number, number][] = []
  const sampler = setInterval(() => {
    const bytes = residentBytes(child.pid)
    if (bytes !== undefined) samples.push([Date.now(), bytes])
  }, SAMPLE_MS)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', text => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', text => (stderr += text))
  const status = await new Promise<number | string | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(code ?? signal))
  }).finally(() => clearInterval(sampler))
  const processSeconds = (Date.now() - spawned) / 1000
  if (status !== 0) throw new Error(`${contestant.name} ended with ${status}: ${stderr.trim().slice(-2000)}`)
  const answer = JSON.parse(stdout.trim().split('\n').at(-1)!) as Answer
  const end = answer.startedAt + answer.seconds * 1000
  return {
    ...answer,
    processSeconds,
    samples: samples
      .filter(([at]) => at <= end)
      .map(([at, bytes]) => [Math.round(at - answer.startedAt), bytes] as [number, number]),
  }
}

function residentBytes(pid: number | undefined): number | undefined {
  try {
    const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
  } catch {
    return undefined // no /proc, or the process has ended
  }
}
