import { barChart, dotChart, escaped, type Line, legend, lineChart, type Reference } from './charts.ts'
import { type ContestantResult, type JobResult, jobLabel, marks, modesOf, type Results } from './results.ts'
import { style } from './style.ts'

/** The results as one HTML page that needs nothing else. */
export function page(results: Results): string {
  const { date, command, commit = '', machine, options, versions, notes, missing, jobs } = results
  const facts = [
    [
      'Machine',
      `${machine.cpu}, ${machine.cores} cores, ${gigabytes(machine.memoryBytes)} of memory, ${machine.system}, Node ${machine.node}`,
    ],
    ['Command', command],
    ['Commit', commit],
    [
      'Conditions',
      `scale ${options.scale}, ${options.threads} threads each, ${options.runs} runs, Sluice's budget ${options.memory}`,
    ],
    [
      'Versions',
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    ],
    [
      'To be known',
      Object.entries(notes)
        .map(([name, note]) => `${name} ${note}`)
        .join('; '),
    ],
    ['Not installed', missing.join(', ')],
  ].filter(([, text]) => text !== '')
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sluice, measured ${escaped(date.slice(0, 10))}</title>
<style>${style}</style>
<h1>Sluice, measured</h1>
<p>${escaped(date.slice(0, 10))}. Each measurement is a process of its own; medians of runs that took turns. Times leave
start-up and imports out, memory is the peak of the whole process. Only contestants that gave the right rows have a time.
Nobody waits until the disk has what was written, but for sluice-fsync, which is Sluice as it is by default.</p>
<dl>${facts.map(([name, text]) => `<dt>${name}</dt><dd>${escaped(text!)}</dd>`).join('')}</dl>
${modes(jobs)}
${overview(jobs)}
${growth(jobs)}
${jobs.map(job => section(job)).join('\n')}
</html>
`
}

/** Those that line charts show: more lines could not be told apart. */
const LINED = ['sluice', 'polars', 'duckdb', 'pyarrow']

/** Sluice's modes against one another, job by job. */
function modes(jobs: readonly JobResult[]): string {
  const compared = jobs.map(job => ({ job, all: modesOf(job) })).filter(({ all }) => all.length > 1)
  if (compared.length === 0) return ''
  const dots = (value: (result: ContestantResult, auto: ContestantResult) => [number, string]) =>
    compared.map(({ job, all }) => ({
      label: jobLabel(job),
      dots: all.map(({ mode, label, result }) => {
        const [at, text] = value(result, all[0]!.result)
        return { value: at, text: `${label}, ${text}`, who: `mode ${mode}` }
      }),
    }))
  const time = dots((result, first) => [result.seconds! / first.seconds!, `${seconds(result.seconds)} s`])
  const memory = dots(result => [result.peakRssBytes!, megabytes(result.peakRssBytes)])
  const names = ['auto', 'streaming', 'fragment', 'batch'].map(mode => ({ label: mode, who: `mode ${mode}` }))
  const head = ['', 'mode', 'seconds', 'rows/s', 'peak', 'budget used', 'files', 'bytes out']
  const rows = compared.flatMap(({ job, all }) => {
    const best = Math.min(...all.map(({ result }) => result.seconds!))
    return all.map(({ label, result }, i) => {
      const { files, bytes, peakRssBytes, budgetHighWaterBytes, rowsPerSecond } = result
      const cells = [
        seconds(result.seconds),
        count(Math.round(rowsPerSecond!)),
        megabytes(peakRssBytes),
        megabytes(budgetHighWaterBytes),
        files ?? '',
        megabytes(bytes),
      ]
      const name = i === 0 ? `<th rowspan="${all.length}">${escaped(jobLabel(job))}</th>` : ''
      const fastest = result.seconds === best ? ' class="best"' : ''
      return `<tr${fastest}>${name}<th>${escaped(label)}</th>${cells.map(cell => `<td>${cell}</td>`).join('')}</tr>`
    })
  })
  return `<h2 id="modes">Modes compared</h2>
<p>The same job in each mode of Sluice; auto chooses one of the others, the one in brackets. The fastest is bold.</p>
<div class="pair"><figure><figcaption>Seconds, those of auto being 1</figcaption>${dotChart('time by mode', time, value => `${value} ×`, [{ value: 1, label: 'auto' }])}</figure>
<figure><figcaption>Peak memory of the process, against the budget</figcaption>${dotChart('memory by mode', memory, megabytes, budgetOf(jobs[0]))}</figure></div>
${legend(names)}
<div class="scroll"><table class="modes"><tr>${head.map(cell => `<th>${cell}</th>`).join('')}</tr>${rows.join('\n')}</table></div>`
}

/** Sluice against the fastest peer, and against a plain copy, job by job. */
function overview(jobs: readonly JobResult[]): string {
  const bars = (of: (job: JobResult, sluice: ContestantResult) => (number | undefined)[]) =>
    jobs.flatMap(job => {
      const sluice = job.contestants.find(({ name }) => name === 'sluice')
      const [ratio, mark] = sluice === undefined ? [] : of(job, sluice)
      if (ratio === undefined) return []
      const text = `${ratio.toFixed(2)} ×${mark === undefined ? '' : ` of ${mark}`}`
      return { label: jobLabel(job), value: ratio, text, who: 'sluice' }
    })
  const peers = bars(({ mark }, { ratio }) => [ratio, mark])
  const copies = bars(({ copyMark }, { copyRatio }) => [copyRatio, copyMark])
  return [
    peers.length > 0 &&
      `<h2>Sluice against the fastest peer</h2>
<p>How many times as fast as the fastest of the others at each job, mode auto; behind “of”, what it is to be.</p>
${barChart('ratios', peers, [{ value: 1, label: 'as fast' }])}`,
    copies.length > 0 &&
      `<h2>Sluice against a plain copy</h2>
<p>How many times as fast as copying files of as many bytes as the columns that are kept have in the source.</p>
${barChart('ratios to a copy', copies, [{ value: 1, label: 'as fast' }])}`,
  ]
    .filter(Boolean)
    .join('\n')
}

/** Time and memory against the amount of data. */
function growth(jobs: readonly JobResult[]): string {
  const series = (value: (contestant: ContestantResult) => number | undefined) => {
    const lines = new Map<string, Line>()
    for (const job of jobs) {
      const times = /^rewrite-day(?:-(\d+)x)?$/.exec(job.name)
      if (times === null || job.place !== 'disk') continue
      for (const contestant of job.contestants) {
        const y = value(contestant)
        if (y === undefined || !LINED.includes(contestant.name)) continue
        const line = lines.get(contestant.name) ?? {
          label: contestant.name,
          points: [],
          who: who(contestant),
        }
        lines.set(contestant.name, { ...line, points: [...line.points, [Number(times[1] ?? 1), y]] })
      }
    }
    return [...lines.values()].filter(({ points }) => points.length > 1)
  }
  const seconds = series(contestant => contestant.seconds)
  if (seconds.length === 0) return ''
  const x = (value: number) => `${value} ×`
  return `<h2>More data</h2>
<p>rewrite-day on the disk, against how many times the data.</p>
<div class="pair"><figure><figcaption>Seconds</figcaption>${lineChart('seconds', seconds, { x, y: value => `${value} s` })}</figure>
<figure><figcaption>Peak memory</figcaption>${lineChart(
    'memory',
    series(contestant => contestant.peakRssBytes),
    { x, y: megabytes },
    budgetOf(jobs[0]),
  )}</figure></div>
${legend(seconds)}`
}

function section(job: JobResult): string {
  const timed = job.contestants.filter(({ seconds }) => seconds !== undefined)
  const { dataset } = job
  const id = job.place === 'disk' ? job.name : `${job.name}-${job.place}`
  const wanted = marks(job)
  const head = `<h2 id="${id}">${escaped(jobLabel(job))}</h2>
<p>${escaped(job.what)}. Data: ${escaped(dataset.name)}, ${count(dataset.rows)} rows in ${count(dataset.files)} files, ${megabytes(dataset.bytes)}.${wanted === '' ? '' : ` To reach: ${wanted}.`}</p>`
  if (timed.length === 0) return head + table(job)
  const ratios = timed.map(contestant => ({
    label: contestant.name,
    value: contestant.ratio ?? 1 / contestant.seconds!,
    text:
      contestant.ratio === undefined
        ? `${seconds(contestant.seconds)} s`
        : `${contestant.ratio.toFixed(2)} ×`,
    who: who(contestant),
  }))
  const memory = timed.map(contestant => ({
    label: contestant.name,
    value: contestant.peakRssBytes!,
    text: megabytes(contestant.peakRssBytes!),
    who: who(contestant),
  }))
  const over = timed
    .filter(({ name, samples }) => samples.length > 1 && LINED.includes(name))
    .map(contestant => ({ label: contestant.name, points: contestant.samples, who: who(contestant) }))
  const reference = budgetOf(job)
  return `${head}
<div class="pair"><figure><figcaption>Speed${job.fastestPeer === undefined ? '' : `, the fastest peer (${escaped(job.fastestPeer)}) being 1`}</figcaption>${barChart('speed', ratios, job.fastestPeer === undefined ? [] : [{ value: 1, label: '1' }])}</figure>
<figure><figcaption>Peak memory, against Sluice's budget</figcaption>${barChart('peak memory', memory, reference)}</figure></div>
${over.length === 0 ? '' : `<figure><figcaption>Memory over time; before 0: start-up and imports</figcaption>${lineChart('memory over time', over, { x: ms => `${ms / 1000} s`, y: megabytes }, reference)}</figure>${legend(over)}`}
${table(job)}`
}

function table(job: JobResult): string {
  const head = [
    '',
    'seconds',
    'all runs',
    '× fastest peer',
    '× copy',
    'whole process, s',
    'rows/s',
    'peak',
    'budget used',
    'lanes',
    'files',
    'bytes out',
    'pages decoded',
  ]
  const rows = job.contestants.map(contestant => {
    const { name, mode, peer, reference, failed } = contestant
    const full = name === 'sluice' && mode !== undefined ? `${name} (auto: ${mode})` : name
    const label = `${full}${contestant.once ? ', run once' : ''}${reference ? ', for reference' : ''}`
    if (failed !== undefined)
      return `<tr><th>${escaped(label)}</th><td colspan="${head.length - 1}" class="failed">${escaped(failed)}</td></tr>`
    const cells = [
      seconds(contestant.seconds),
      contestant.runs.map(run => seconds(run.seconds)).join(' '),
      contestant.ratio?.toFixed(2) ?? '',
      contestant.copyRatio?.toFixed(2) ?? '',
      seconds(contestant.processSeconds),
      count(Math.round(contestant.rowsPerSecond!)),
      megabytes(contestant.peakRssBytes),
      megabytes(contestant.budgetHighWaterBytes),
      contestant.lanes ?? '',
      contestant.files ?? '',
      megabytes(contestant.bytes),
      contestant.pagesDecoded === undefined ? '' : count(contestant.pagesDecoded),
    ]
    return `<tr${peer || reference ? '' : ' class="ours"'}><th>${escaped(label)}</th>${cells.map(cell => `<td>${cell}</td>`).join('')}</tr>`
  })
  return `<div class="scroll"><table><tr>${head.map(cell => `<th>${cell}</th>`).join('')}</tr>${rows.join('\n')}</table></div>`
}

/** Sluice's budget, for charts of memory. */
function budgetOf(job: JobResult | undefined): Reference[] {
  const bytes = job?.contestants.find(({ memoryBytes }) => memoryBytes !== undefined)?.memoryBytes
  return bytes === undefined ? [] : [{ value: bytes, label: 'budget' }]
}

/** The class that gives a contestant its colour. */
function who({ name, peer }: ContestantResult): string {
  return peer ? `peer ${name}` : name
}

function seconds(value: number | undefined): string {
  return value === undefined ? '' : value.toFixed(3)
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined
    ? ''
    : `${count(bytes < 1e7 ? Math.round(bytes / 1e5) / 10 : Math.round(bytes / 1e6))} MB`
}

function gigabytes(bytes: number): string {
  return `${Math.round(bytes / 1e9)} GB`
}

function count(value: number): string {
  return value.toLocaleString('en')
}
