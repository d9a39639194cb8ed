import { formatBytes } from './bytes.ts'
import { SluiceError } from './errors.ts'
import type { Progress } from './report.ts'

/** What {@link showProgress} watches. */
export interface Watched<P = Progress> {
  progress(): P
  abort(reason: unknown): void
}

/** The part of a stream such as `process.stderr` that is written to. */
export interface Terminal {
  isTTY?: boolean
  columns?: number
  write(text: string): unknown
}

const FRAME_MS = 200
const LINE_MS = 5000
const BAR_WIDTH = 24

/**
 * Shows a run until the returned function is called, which shows it for the last time. A function of the
 * user's that throws aborts the run.
 *
 * @param to `true`: a bar on a terminal, elsewhere a line every few seconds. A function is called a few times a
 * second.
 * @param format A moment as one line.
 */
export function showProgress<P>(
  run: Watched<P>,
  to: boolean | ((progress: P) => void),
  format: (progress: P) => string,
  terminal: Terminal = process.stderr,
): () => void {
  if (to === false) return () => {}
  const live = to !== true || terminal.isTTY === true
  const show = to === true ? display(terminal, format) : to
  const tick = () => {
    try {
      show(run.progress())
    } catch (cause) {
      run.abort(new SluiceError('callback', 'the function threw', { option: 'progress', cause }))
    }
  }
  const timer = setInterval(tick, live ? FRAME_MS : LINE_MS)
  timer.unref()
  return () => {
    clearInterval(timer)
    tick()
    if (to === true && live) terminal.write('\n')
  }
}

/** One moment of a run as one line. */
export function formatProgress(progress: Progress): string {
  const { phase, rowsIn, rowsOut, bytesRead, bytesWritten, files, retries, seconds } = progress
  const done = fraction(progress)
  const parts = [
    phase,
    ...(done === undefined ? [] : [`${bar(done)} ${Math.floor(done * 100)}%`]),
    `${formatCount(rowsIn)} rows in`,
    `${formatCount(rowsOut)} out`,
    `${formatBytes(bytesRead)} read`,
    ...(files > 0 || bytesWritten > 0
      ? [`${formatBytes(bytesWritten)} written`, `${formatCount(files)} files`]
      : []),
    ...(retries > 0 ? [`${formatCount(retries)} retries`] : []),
    `${seconds.toFixed(1)} s`,
  ]
  return parts.join('  ')
}

function display<P>(terminal: Terminal, format: (progress: P) => string): (progress: P) => void {
  if (!terminal.isTTY) return progress => void terminal.write(`${format(progress)}\n`)
  // Back to the start of the line, write, clear what was longer; a line that wraps could not be overwritten.
  return progress => {
    const line = format(progress).slice(0, (terminal.columns ?? 80) - 1)
    terminal.write(`\r${line}\x1b[K`)
  }
}

function fraction({ phase, rowsIn, rowsTotal, bytesRead, bytesTotal }: Progress): number | undefined {
  if (phase === 'plan') return undefined
  if (phase === 'done') return 1
  const [part, whole] = rowsTotal === undefined ? [bytesRead, bytesTotal] : [rowsIn, rowsTotal]
  return whole === undefined ? undefined : whole === 0 ? 1 : Math.min(1, part / whole)
}

/** How much is done, from 0 to 1, as a bar. */
export function bar(done: number): string {
  const filled = Math.floor(done * BAR_WIDTH)
  return '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled)
}

/** A number for people: `1,234`. */
export function formatCount(value: number): string {
  return value.toLocaleString('en-US')
}
