import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Word, Work } from './child.ts'

export interface FuzzOptions {
  /** What all cases follow from. */
  seed: number
  /** Number of the first case. @default 0 */
  from?: number
  cases: number
  /** Called after each slice of cases; false ends the run. */
  proceed?: (report: FuzzReport) => boolean
}

export interface FuzzReport {
  cases: number
  /** Cases by what became of the file. */
  outcomes: Record<string, number>
  /** What must not happen, and which case it was. */
  defects: { number: number; how: string; message: string }[]
}

/** Cases that a process runs before its word is waited for. */
const SLICE = 500
/** A case takes milliseconds, one in workers a second or two; what takes this long hangs. */
const HANGS_MS = 120_000
/** A file may not make objects of more than this, whatever it claims. */
const HEAP_MB = 512

/**
 * Damages sound files and has them read, filtered and rewritten, in a process of its own: one that ends or hangs is a
 * defect of the case that it was at, and another one goes on behind it.
 */
export async function fuzz({
  seed,
  from = 0,
  cases,
  proceed = () => true,
}: FuzzOptions): Promise<FuzzReport> {
  const report: FuzzReport = { cases: 0, outcomes: {}, defects: [] }
  const end = from + cases
  let child: ChildProcess | undefined
  for (let next = from; next < end; ) {
    child ??= start()
    const to = Math.min(end, next + SLICE)
    next = await runSlice(child, { seed, from: next, to }, report)
    if (next < to) {
      child.kill('SIGKILL')
      child = undefined
    }
    if (!proceed(report)) break
  }
  child?.disconnect()
  return report
}

function start(): ChildProcess {
  const module = fileURLToPath(new URL('./child.ts', import.meta.url))
  return fork(module, {
    execArgv: [...process.execArgv, `--max-old-space-size=${HEAP_MB}`],
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  })
}

/** Resolves to the number of the case to go on with; rejects if no case could be begun. */
function runSlice(child: ChildProcess, work: Work, report: FuzzReport): Promise<number> {
  let current: { number: number; how: string } | undefined
  let stderr = ''
  let watchdog: NodeJS.Timeout
  return new Promise<number>((resolve, reject) => {
    const defect = (message: string): void => {
      if (current === undefined) reject(new Error(message))
      else report.defects.push({ ...current, message })
    }
    const stop = (number: number): void => {
      clearTimeout(watchdog)
      child.off('message', hear).off('exit', died)
      child.stderr!.off('data', listen)
      resolve(number)
    }
    const failed = (message: string): void => {
      defect(message)
      stop((current?.number ?? work.from) + 1)
    }
    const watch = (): void => {
      clearTimeout(watchdog)
      watchdog = setTimeout(() => failed(`hangs for ${HANGS_MS / 1000} seconds`), HANGS_MS)
    }
    const hear = (word: Word): void => {
      watch()
      if (word.kind === 'begin') {
        current = { number: word.number, how: 'not damaged yet' }
        report.cases++
      } else if (word.kind === 'damaged') current!.how = word.how
      else if (word.kind === 'end') report.outcomes[word.outcome] = (report.outcomes[word.outcome] ?? 0) + 1
      else if (word.kind === 'defect') defect(word.message)
      else stop(work.to)
    }
    const listen = (data: Buffer): void => {
      stderr = (stderr + data).slice(-4000)
    }
    const died = (code: number | null, signal: string | null): void =>
      failed(`the process ended with ${signal ?? `code ${code}`}: ${stderr}`)
    child.on('message', hear).on('exit', died)
    child.stderr!.on('data', listen)
    watch()
    child.send(work)
  })
}
