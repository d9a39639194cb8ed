/**
 * Measures Sluice, mode against mode and against other engines: `npm run bench -- --help`.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { runChild } from './child.ts'
import { contestants, install, isInstalled } from './contestants.ts'
import { copyDatasets, datasets, type Scale } from './data.ts'
import { chosenJobs, jobs } from './jobs.ts'
import { measureJob } from './measure.ts'
import { type Options, parseOptions, UsageError, usage } from './options.ts'
import { page } from './page.ts'
import { commit, machine, save } from './record.ts'
import { jobLabel, jobResult, type Results } from './results.ts'
import { benchStorage } from './storage/main.ts'
import { storageUsage } from './storage/options.ts'
import { jobTable, modesTable } from './table.ts'

const argv = process.argv.slice(2)
const ofStorage = argv[0] === 'storage'
const help = ofStorage ? storageUsage : usage
if (argv.includes('--help')) {
  console.log(help)
} else {
  try {
    if (ofStorage) await benchStorage(argv)
    else await main(parseOptions(argv))
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(`${error.message}\n\n${help}`)
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
  save(results, page(results), options.output)
  if (missing.length > 0) console.log(`\nnot installed, so not measured: ${results.missing.join(', ')}`)
  if (failed) process.exitCode = 1
}

/** The variant of the data that another program than DuckDB has written. */
async function writtenBySluice(from: string[], to: string, { threads, memory }: Options): Promise<void> {
  const decoding = contestants.find(({ settings }) => settings?.passThrough === false)!
  const whole = jobs.find(({ name }) => name === 'compact-64')!
  await runChild(decoding, whole, { data: from, out: to, threads, memory, check: false })
}
