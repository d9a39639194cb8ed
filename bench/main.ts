/**
 * Measures Sluice, mode against mode and against other engines: `npm run bench -- --help`.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { runChild } from './child.ts'
import { contestants, install, isInstalled } from './contestants.ts'
import { copyDatasets, datasets, type Scale } from './data.ts'
import { folder } from './folder.ts'
import { chosenJobs, jobs } from './jobs.ts'
import { measureJob } from './measure.ts'
import { type Options, parseOptions, UsageError, usage } from './options.ts'
import { page } from './page.ts'
import { jobLabel, jobResult, type Results } from './results.ts'
import { jobTable, modesTable } from './table.ts'

const argv = process.argv.slice(2)
if (argv.includes('--help')) {
  console.log(usage)
} else {
  try {
    await main(parseOptions(argv))
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(`${error.message}\n\n${usage}`)
    process.exitCode = 2
  }
}

async function main(options: Options): Promise<void> {
  const { smoke, scale, threads, memory, places } = options
  const wanted = contestants.filter(({ peer, name }) => peer && options.peers.includes(name))
  if (!smoke) install(wanted)
  const missing = wanted.filter(peer => !isInstalled(peer))
  const present = contestants
    .filter(({ peer, comparesMode }) => !peer && (comparesMode || !options.modes))
    .concat(wanted.filter(peer => !missing.includes(peer)))

  const instance = await DuckDBInstance.create(':memory:', { threads: String(threads) })
  const connection = await instance.connect()
  const [home] = places
  // What a run that was stopped has left.
  for (const place of places) rmSync(join(place.folder, 'outputs'), { recursive: true, force: true })
  const making: Scale = { connection, scale, sluice: (from, to) => writtenBySluice(from, to, options) }
  const results: Results = {
    format: 1,
    date: new Date().toISOString(),
    command: ['npm run bench --', ...argv].join(' '),
    ...commit(),
    machine: machine(),
    options: { scale, runs: options.runs, threads, memory },
    versions: {},
    notes: Object.fromEntries(
      present.flatMap(({ name, note }) => (note === undefined ? [] : [[name, note]])),
    ),
    missing: missing.map(({ name }) => name),
    jobs: [],
  }
  let failed = false
  for (const job of chosenJobs(options.jobs, scale, options.growth)) {
    const made = await datasets(job.datasets, home!.folder, making)
    for (const place of places) {
      if (place !== home && !(options.ramdiskJobs?.includes(job.name) ?? true)) continue
      const data = place === home ? made : await copyDatasets(made, place.folder, making)
      const outputs = join(place.folder, 'outputs')
      const at = { name: job.name, place: place.name }
      const measured = await measureJob(
        job,
        data,
        present.filter(({ can }) => can(job)),
        {
          connection,
          outputs,
          threads,
          memory,
          runs: smoke ? 0 : options.runs,
          variantRuns: smoke ? 0 : options.modes ? options.runs : Math.ceil(options.runs / 2),
          versions: results.versions,
          onSlow: (contestant, seconds) =>
            console.error(
              `${jobLabel(at)}: ${contestant.name} took ${seconds.toFixed(1)} s, more than ten times the fastest peer: not run again`,
            ),
          onRun: (contestant, round, outcome) => {
            const said =
              outcome instanceof Error ? outcome.message.split('\n', 1)[0] : `${outcome.seconds.toFixed(3)} s`
            console.error(
              `${jobLabel(at)}: ${contestant.name}, ${round === 0 ? 'checked' : `run ${round}`}: ${said}`,
            )
          },
        },
      )
      const result = jobResult(job, place.name, data, measured)
      results.jobs.push(result)
      console.log(jobTable(result))
      failed ||= measured.some(contestant => contestant.failed !== undefined)
    }
  }
  connection.closeSync()
  instance.closeSync()
  console.log(modesTable(results.jobs))
  save(results, options.output)
  if (missing.length > 0) console.log(`\nnot installed, so not measured: ${results.missing.join(', ')}`)
  if (failed) process.exitCode = 1
}

function machine(): Results['machine'] {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    system: `${type()} ${release()} ${process.arch}`,
    node: process.version,
  }
}

/** The commit that is measured; with `+` if files differ from it. */
function commit(): { commit?: string } {
  const describe = ['describe', '--always', '--abbrev=12', '--exclude=*', '--dirty=+']
  const { status, stdout } = spawnSync('git', describe, { cwd: folder, encoding: 'utf8' })
  return status === 0 ? { commit: stdout.trim() } : {}
}

/** The variant of the data that another program than DuckDB has written. */
async function writtenBySluice(from: string[], to: string, { threads, memory }: Options): Promise<void> {
  const decoding = contestants.find(({ settings }) => settings?.passThrough === false)!
  const whole = jobs.find(({ name }) => name === 'compact-64')!
  await runChild(decoding, whole, { data: from, out: to, threads, memory, check: false })
}

function save(results: Results, output: string): void {
  mkdirSync(output, { recursive: true })
  const path = join(output, results.date.replace(/[:.]/g, '-'))
  writeFileSync(`${path}.json`, `${JSON.stringify(results)}\n`)
  writeFileSync(`${path}.html`, page(results))
  console.log(`\n${path}.json\n${path}.html`)
}
