import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { checkFiles, type Expected, expect, filesIn } from './check.ts'
import { runChild } from './child.ts'
import type { Contestant } from './contestants.ts'
import type { Dataset } from './data.ts'
import type { Job } from './jobs.ts'
import { type ContestantResult, contestantResult, type RunResult } from './results.ts'

export interface Conditions {
  connection: DuckDBConnection
  /** Where folders for output are made. */
  outputs: string
  threads: number
  memory: string
  /** Measured runs; 0: the checked run is what is measured. */
  runs: number
  /** The same for variants of Sluice. */
  variantRuns: number
  /** Told of every run, in order. */
  onRun: (contestant: Contestant, run: number, outcome: RunResult | Error) => void
  /** Told whose checked run is the only one. */
  onSlow: (contestant: Contestant, seconds: number) => void
  /** Contestant → version; filled in here. */
  versions: Record<string, string>
}

/** Whoever takes so many times as long as the fastest peer, and at least so many seconds, is not run again. */
const SLOW = { times: 10, seconds: 2 }

/**
 * Measures contestants at one job: first one run of each, whose rows are compared in full and whose time does
 * not count, then, in every round, one run of each, in another order every round. Who fails or gives other rows than
 * DuckDB's answer is out; who was much slower than the others keeps the time of that first run.
 */
export async function measureJob(
  job: Job,
  data: Dataset,
  contestants: readonly Contestant[],
  conditions: Conditions,
): Promise<ContestantResult[]> {
  const expected = await expect(conditions.connection, job, data.folders)
  const measured = await takeTurns(contestants, conditions, (contestant, check) =>
    measureOnce(contestant, job, data, expected, check, conditions),
  )
  return measured.map(({ contestant, runs, failed, slow }) => {
    const result = contestantResult(contestant, data.rows, runs, failed)
    return slow ? { ...result, once: true } : result
  })
}

/** What {@link takeTurns} needs to know of a contestant. */
type Turn = Pick<Contestant, 'name' | 'peer' | 'variant'>

/** Runs contestants by turns, as {@link measureJob} says; `check` has the run of the first round looked at closely. */
export async function takeTurns<C extends Turn>(
  contestants: readonly C[],
  conditions: Pick<Conditions, 'runs' | 'variantRuns'> & {
    onRun: (contestant: C, run: number, outcome: RunResult | Error) => void
    onSlow: (contestant: C, seconds: number) => void
  },
  measure: (contestant: C, check: boolean) => Promise<RunResult>,
): Promise<{ contestant: C; runs: RunResult[]; failed: string | undefined; slow: boolean }[]> {
  const runs = new Map<C, RunResult[]>(contestants.map(contestant => [contestant, []]))
  const failures = new Map<C, string>()
  const slow = new Set<C>()
  const attempt = async (contestant: C, round: number) => {
    const last = contestant.variant ? conditions.variantRuns : conditions.runs
    if (failures.has(contestant) || slow.has(contestant) || round > last) return
    try {
      const run = await measure(contestant, round === 0)
      runs.get(contestant)!.push(run)
      conditions.onRun(contestant, round, run)
    } catch (error) {
      failures.set(contestant, (error as Error).message)
      conditions.onRun(contestant, round, error as Error)
    }
  }
  for (let round = 0; round <= conditions.runs; round++) {
    for (const contestant of shuffled(contestants, round)) {
      await attempt(contestant, round)
    }
    if (round > 0 || conditions.runs === 0) continue
    // Where no peer is asked for, the fastest of all.
    const compared = contestants.some(({ peer }) => peer)
      ? contestants.filter(({ peer }) => peer)
      : contestants
    const checked = compared.flatMap(contestant => runs.get(contestant)!.map(({ seconds }) => seconds))
    const limit = Math.max(SLOW.seconds, SLOW.times * Math.min(...checked))
    for (const contestant of contestants) {
      const own = runs.get(contestant)!
      const [first] = own
      if (first === undefined) continue
      if (first.seconds <= limit) own.shift()
      else {
        slow.add(contestant)
        conditions.onSlow(contestant, first.seconds)
      }
    }
  }
  return contestants.map(contestant => ({
    contestant,
    runs: runs.get(contestant)!,
    failed: failures.get(contestant),
    slow: slow.has(contestant),
  }))
}

async function measureOnce(
  contestant: Contestant,
  job: Job,
  data: Dataset,
  expected: Expected,
  check: boolean,
  { connection, outputs, threads, memory, versions }: Conditions,
): Promise<RunResult> {
  mkdirSync(outputs, { recursive: true })
  const parent = mkdtempSync(join(outputs, 'out-'))
  const out = join(parent, 'data')
  mkdirSync(out)
  try {
    const { storedBytes: bytes } = expected
    const answer = await runChild(contestant, job, { data: data.folders, out, threads, memory, check, bytes })
    versions[contestant.name] = answer.version
    if (typeof answer.rows === 'number' && answer.rows !== expected.rows) {
      throw new Error(`gave ${answer.rows} rows instead of ${expected.rows}`)
    }
    const written = filesIn(out)
    if (contestant.reference) {
      if (written.bytes !== bytes) throw new Error(`copied ${written.bytes} bytes instead of ${bytes}`)
    } else if (job.kind === 'rewrite' || check) await checkFiles(connection, out, expected, check)
    const { seconds, processSeconds, peakRssBytes, samples, report } = answer
    return {
      seconds,
      processSeconds,
      peakRssBytes,
      samples,
      ...(job.kind === 'rewrite' && written),
      ...(report !== undefined && {
        mode: report.mode,
        lanes: report.lanes,
        budgetHighWaterBytes: report.budgetHighWaterBytes,
        memoryBytes: report.memoryBytes,
        pagesDecoded: report.pages.total - report.pages.pruned,
      }),
    }
  } finally {
    rmSync(parent, { recursive: true, force: true })
  }
}

/**
 * In an order of its own for every seed, the same each time. What ran before a contestant matters, by what it leaves
 * in the page cache and of free memory: so nobody may follow the same one every time.
 */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  let state = Math.imul(seed + 1, 0x9e3779b1)
  const keyed = items.map((item): [number, T] => {
    state = Math.imul(state ^ (state >>> 15), 0x85ebca6b) + 0x6d2b79f5
    return [state >>> 0, item]
  })
  return keyed.sort(([a], [b]) => a - b).map(([, item]) => item)
}
