import { type ContestantResult, type JobResult, jobLabel, marks, modesOf, placeName } from './results.ts'

const RATIOS = ['× fastest peer', '× copy']
const HEAD = ['', 'seconds', ...RATIOS, 'rows/s', 'peak MB', 'budget MB', 'files', 'MB out']

/** A job's results for the terminal. */
export function jobTable(job: JobResult): string {
  const lines = job.contestants.map(contestant => {
    const { name, mode, ratio, copyRatio, once, reference } = contestant
    if (contestant.seconds === undefined) return [name, `failed: ${contestant.failed?.split('\n', 1)[0]}`]
    const label = name === 'sluice' ? `${name} (${mode})` : reference ? `${name}, for reference` : name
    const [seconds, ...more] = cells(contestant)
    return [
      once ? `${label}, run once` : label,
      seconds!,
      ratio?.toFixed(2) ?? '',
      copyRatio?.toFixed(2) ?? '',
      ...more,
    ]
  })
  const wanted = marks(job)
  const mark = wanted === '' ? '' : `; to reach: ${wanted}`
  const { dataset, place } = job
  return `\n${job.name}: ${job.what}\n${dataset.name} on ${placeName(place)}: ${dataset.rows.toLocaleString('en')} rows, ${dataset.files} files, ${megabytes(dataset.bytes)} MB${mark}\n${aligned([HEAD, ...lines])}`
}

/** Sluice's modes at every job, for the terminal. */
export function modesTable(jobs: readonly JobResult[]): string {
  const lines = jobs.flatMap(job =>
    modesOf(job).map(({ label, result }, i) => [
      `${i === 0 ? jobLabel(job) : ''}`.padEnd(26).concat(label),
      ...cells(result),
    ]),
  )
  const head = HEAD.filter(title => !RATIOS.includes(title))
  return lines.length === 0 ? '' : `\nmodes of Sluice\n${aligned([head, ...lines])}`
}

function cells(result: ContestantResult): string[] {
  const { seconds, rowsPerSecond, peakRssBytes, budgetHighWaterBytes, files, bytes } = result
  return [
    seconds!.toFixed(3),
    Math.round(rowsPerSecond!).toLocaleString('en'),
    megabytes(peakRssBytes),
    megabytes(budgetHighWaterBytes),
    files?.toLocaleString('en') ?? '',
    megabytes(bytes),
  ]
}

/** Columns in line; the first line has all of them. */
export function aligned(lines: readonly string[][]): string {
  const [head] = lines
  const full = lines.filter(line => line.length === head!.length)
  const widths = head!.map((_, i) => Math.max(...full.map(line => line[i]!.length)))
  widths[0] = Math.max(...lines.map(line => line[0]!.length))
  return lines
    .map(line =>
      line.map((cell, i) => (i === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[i]!))).join('  '),
    )
    .map(line => `  ${line.trimEnd()}`)
    .join('\n')
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? '' : (bytes / 1e6).toFixed(1)
}
