import type { JobResult } from './results.ts'

const HEAD = ['', 'seconds', '× fastest peer', 'rows/s', 'peak MB', 'budget MB', 'files', 'MB out']

/** A job's results for the terminal. */
export function jobTable(job: JobResult): string {
  const lines = job.contestants.map(contestant => {
    const { name, mode, seconds, ratio, rowsPerSecond, peakRssBytes, budgetHighWaterBytes, files, bytes } =
      contestant
    if (seconds === undefined) return [name, `failed: ${contestant.failed?.split('\n', 1)[0]}`]
    return [
      name === 'sluice' ? `${name} (${mode})` : name,
      seconds.toFixed(3),
      ratio?.toFixed(2) ?? '',
      Math.round(rowsPerSecond!).toLocaleString('en'),
      megabytes(peakRssBytes),
      megabytes(budgetHighWaterBytes),
      files?.toLocaleString('en') ?? '',
      megabytes(bytes),
    ]
  })
  const mark = job.mark === undefined ? '' : `; to reach: ${job.mark} ×`
  const { dataset, place } = job
  return `\n${job.name}: ${job.what}\n${dataset.name} on ${place}: ${dataset.rows.toLocaleString('en')} rows, ${dataset.files} files, ${megabytes(dataset.bytes)} MB${mark}\n${aligned([HEAD, ...lines])}`
}

function aligned(lines: readonly string[][]): string {
  const full = lines.filter(cells => cells.length === HEAD.length)
  const widths = HEAD.map((_, i) => Math.max(...full.map(cells => cells[i]!.length)))
  widths[0] = Math.max(...lines.map(cells => cells[0]!.length))
  return lines
    .map(cells =>
      cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[i]!))).join('  '),
    )
    .map(line => `  ${line.trimEnd()}`)
    .join('\n')
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? '' : (bytes / 1e6).toFixed(1)
}
