import { join } from 'node:path'
import { noS3 } from '../../test/servers/s3.ts'
import { runProgram } from '../child.ts'
import { install, isInstalled } from '../contestants.ts'
import { takeTurns } from '../measure.ts'
import { UsageError } from '../options.ts'
import { commit, machine, save } from '../record.ts'
import { contestantResult, jobLabel, type RunResult } from '../results.ts'
import { aligned } from '../table.ts'
import { type StorageContestant, storageContestants } from './contestants.ts'
import { type StorageJob, storageJobs } from './jobs.ts'
import { parseStorageOptions } from './options.ts'
import { storagePage } from './page.ts'
import { openPlace, type StoragePlace } from './place.ts'
import {
  rate,
  type StorageJobResult,
  type StorageResults,
  storageJobResult,
  withServerLimit,
} from './results.ts'

/** Measures Sluice's S3 store against other clients of the same server: `npm run bench -- storage --help`. */
export async function benchStorage(argv: readonly string[]): Promise<void> {
  const options = parseStorageOptions(argv)
  if (noS3) throw new UsageError(noS3)
  const wanted = storageContestants.filter(({ peer, name }) => peer && options.peers.includes(name))
  if (!options.smoke) install(wanted)
  const missing = wanted.filter(peer => !isInstalled(peer))
  const present = storageContestants.filter(
    contestant => !contestant.peer || (wanted.includes(contestant) && !missing.includes(contestant)),
  )
  const versions: Record<string, string> = {}
  let measured: StorageJobResult[] = []
  for (const { name: place, folder } of options.places) {
    const server = await openPlace(join(folder, 'storage'), options.scale)
    try {
      for (const job of storageJobs(options.scale).filter(({ name }) => options.jobs.includes(name))) {
        const label = jobLabel({ name: job.name, place })
        const contestants = present.filter(({ can }) => can(job.name))
        const turns = await takeTurns(
          contestants,
          {
            runs: options.smoke ? 0 : options.runs,
            variantRuns: 0,
            onSlow: ({ name }, seconds) =>
              console.error(`${label}: ${name} took ${seconds.toFixed(1)} s: not run again`),
            onRun: ({ name }, round, outcome) => {
              const said =
                outcome instanceof Error
                  ? outcome.message.split('\n', 1)[0]
                  : `${outcome.seconds.toFixed(3)} s`
              console.error(`${label}: ${name}, ${round === 0 ? 'checked' : `run ${round}`}: ${said}`)
            },
          },
          (contestant, check) => measureOnce(contestant, job, server, check, versions),
        )
        const results = turns.map(({ contestant, runs, failed, slow }) => {
          const result = contestantResult(contestant, job.objects, runs, failed)
          return slow ? { ...result, once: true } : result
        })
        measured.push(storageJobResult(job, place, results))
        console.log(tableOf(measured.at(-1)!))
      }
    } finally {
      await server.stop()
    }
  }
  measured = withServerLimit(measured)
  for (const job of measured) if (job.name === 'copy-streamed') console.log(tableOf(job))
  const results: StorageResults = {
    format: 'storage-1',
    date: new Date().toISOString(),
    command: ['npm run bench --', ...argv].join(' '),
    ...commit(),
    machine: machine(),
    options: { ...options.scale, runs: options.runs },
    versions,
    notes: Object.fromEntries(
      present.flatMap(({ name, note }) => (note === undefined ? [] : [[name, note]])),
    ),
    missing: missing.map(({ name }) => name),
    jobs: measured,
  }
  save(results, storagePage(results), options.output)
  if (missing.length > 0) console.log(`\nnot installed, so not measured: ${results.missing.join(', ')}`)
  if (measured.some(({ contestants }) => contestants.some(({ failed }) => failed !== undefined))) {
    process.exitCode = 1
  }
}

async function measureOnce(
  contestant: StorageContestant,
  job: StorageJob,
  place: StoragePlace,
  check: boolean,
  versions: Record<string, string>,
): Promise<RunResult> {
  place.clear()
  const answer = await runProgram(contestant, { ...place.task, kind: job.name, check }, place.env)
  versions[contestant.name] = answer.version
  if (!contestant.reference) await place.verify(job, answer, check)
  const { seconds, processSeconds, peakRssBytes, samples } = answer
  return { seconds, processSeconds, peakRssBytes, samples }
}

function tableOf(job: StorageJobResult): string {
  const limits = ['socket', 'disk', 'server'] as const
  const head = [
    '',
    'seconds',
    'rate',
    '× fastest peer',
    '× obstore',
    ...limits.map(name => `of ${name}`),
    'peak MB',
  ]
  const lines = job.contestants.map(({ name, seconds, ratio, ratios, peakRssBytes, failed, once }) => {
    if (seconds === undefined) return [name, `failed: ${failed?.split('\n', 1)[0]}`]
    const shares = [ratio, ratios.obstore, ...limits.map(limit => ratios[limit])]
    return [
      ...[once ? `${name}, run once` : name, seconds.toFixed(3), rate(job, seconds)],
      ...shares.map(share => share?.toFixed(2) ?? ''),
      (peakRssBytes! / 1e6).toFixed(1),
    ]
  })
  return `\n${jobLabel(job)}: ${job.what}\n${aligned([head, ...lines])}`
}
