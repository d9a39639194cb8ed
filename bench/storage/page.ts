import { barChart, escaped, lineChart } from '../charts.ts'
import { placeName } from '../results.ts'
import { style } from '../style.ts'
import { rate, type StorageContestantResult, type StorageJobResult, type StorageResults } from './results.ts'

const LIMITS = ['socket', 'disk', 'server'] as const

/** The results as one HTML page that needs nothing else. */
export function storagePage({
  date,
  command,
  commit = '',
  machine,
  options,
  ...rest
}: StorageResults): string {
  const { versions, notes, missing, jobs } = rest
  const list = (of: Record<string, string>, between: string) =>
    Object.entries(of)
      .map(([name, text]) => `${name} ${text}`)
      .join(between)
  const facts = [
    [
      'Machine',
      `${machine.cpu}, ${machine.cores} cores, ${(machine.memoryBytes / 1e9).toFixed(0)} GB of memory, ${machine.system}, Node ${machine.node}`,
    ],
    ['Command', command],
    ['Commit', commit],
    ['Conditions', `${options.runs} runs of each, versitygw on the same machine`],
    ['Versions', list(versions, ', ')],
    ['To be known', list(notes, '; ')],
    ['Not installed', missing.join(', ')],
  ].filter(([, text]) => text !== '')
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sluice's stores, measured ${escaped(date.slice(0, 10))}</title>
<style>${style}</style>
<h1>Sluice's stores, measured</h1>
<p>${escaped(date.slice(0, 10))}. Clients of one S3 server, each measurement a process of its own; medians of runs that took turns.
Times leave start-up and imports out, memory is the peak of the whole process. Only who moved the right bytes has a time.
socket and disk are limits: as many bytes without a server. The limit of the server is the slower of the fastest get and the
fastest put of anybody.</p>
<dl>${facts.map(([name, text]) => `<dt>${name}</dt><dd>${escaped(text!)}</dd>`).join('')}</dl>
<h2>Sluice against obstore</h2>
${ratios(jobs)}
${jobs.map(section).join('\n')}
</html>
`
}

function ratios(jobs: readonly StorageJobResult[]): string {
  const bars = jobs.flatMap(job => {
    const value = job.contestants.find(({ name }) => name === 'sluice')?.ratios.obstore
    return value === undefined
      ? []
      : [{ label: label(job), value, text: `${value.toFixed(2)} ×`, who: 'sluice' }]
  })
  return bars.length === 0 ? '' : barChart('ratios to obstore', bars, [{ value: 1, label: 'as fast' }])
}

function section(job: StorageJobResult): string {
  const timed = job.contestants.filter(({ seconds }) => seconds !== undefined)
  const bars = timed.map(({ name, peer, seconds }) => ({
    ...{ label: name, value: seconds!, text: `${seconds!.toFixed(3)} s` },
    who: peer ? 'peer' : name === 'sluice' ? 'sluice' : 'copy',
  }))
  const lines = timed
    .filter(({ reference }) => !reference)
    .map(({ name, samples }) => ({
      label: name,
      points: samples.map(([ms, bytes]): [number, number] => [ms / 1000, bytes]),
      who: name === 'sluice' ? 'sluice' : 'peer',
    }))
  const head = [
    '',
    'seconds',
    'rate',
    '× fastest peer',
    '× obstore',
    ...LIMITS.map(name => `of the ${name}`),
    'peak',
  ]
  return `<h2>${escaped(label(job))}: ${escaped(job.what)}</h2>
<div class="pair"><figure><figcaption>Seconds</figcaption>${barChart('seconds', bars)}</figure>
<figure><figcaption>Memory of the process over time</figcaption>${lineChart('memory', lines, {
    x: value => `${value} s`,
    y: megabytes,
  })}</figure></div>
<div class="scroll"><table><tr>${head.map(cell => `<th>${cell}</th>`).join('')}</tr>
${job.contestants.map(contestant => row(job, contestant)).join('\n')}</table></div>`
}

function row(job: StorageJobResult, contestant: StorageContestantResult): string {
  const { name, seconds, ratio, ratios, peakRssBytes, failed, once, peer, reference } = contestant
  const ours = !peer && !reference ? ' class="ours"' : ''
  const title = `<th>${escaped(once ? `${name}, run once` : name)}</th>`
  if (seconds === undefined)
    return `<tr${ours}>${title}<td class="failed" colspan="8">${escaped(failed ?? '')}</td></tr>`
  const share = (value: number | undefined) => (value === undefined ? '' : value.toFixed(2))
  const cells = [
    seconds.toFixed(3),
    rate(job, seconds),
    share(ratio),
    share(ratios.obstore),
    ...LIMITS.map(name => share(ratios[name])),
    megabytes(peakRssBytes!),
  ]
  return `<tr${ours}>${title}${cells.map(cell => `<td>${cell}</td>`).join('')}</tr>`
}

function label({ name, place }: StorageJobResult): string {
  return place === 'disk' ? name : `${name} (${placeName(place)})`
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`
}
