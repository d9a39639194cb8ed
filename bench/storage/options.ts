import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { folder } from '../folder.ts'
import { isCount, names, number, type Options, parse } from '../options.ts'
import { storageContestants } from './contestants.ts'
import { type StorageScale, scaleOf, storageJobs } from './jobs.ts'

const peers = storageContestants.filter(({ peer }) => peer).map(({ name }) => name)
const jobs = storageJobs(scaleOf(1, undefined)).map(({ name }) => name as string)

export const storageUsage: string = `npm run bench -- storage [options]

  --scale N        1: an object of 1 GiB, 10,000 of 64 KiB, 100,000 keys to list (default: 1)
  --keys N         so many keys to list instead, such as 1000000
  --runs N         measured runs of each contestant, after one that is checked (default: 5)
  --jobs a,b       ${jobs.join(', ')} (default: all)
  --peers a,b      ${peers.join(', ')}; or none (default: all)
  --disk DIR       where the server keeps objects                            (default: bench/data)
  --ramdisk DIR    a folder on a memory disk, where the jobs are run again
  --output DIR     for the JSON and the HTML page                           (default: bench/results)
  --smoke          a small scale, one run, only peers that are installed

The server is versitygw: see test/servers/install.sh.`

export interface StorageOptions
  extends Pick<Options, 'runs' | 'jobs' | 'peers' | 'places' | 'output' | 'smoke'> {
  scale: StorageScale
}

/** @param argv with the word `storage` first */
export function parseStorageOptions(argv: readonly string[]): StorageOptions {
  const text = { type: 'string' } as const
  const { values } = parse(() =>
    parseArgs({
      args: argv.slice(1),
      options: {
        ...{ scale: text, keys: text, runs: text, jobs: text, peers: text },
        ...{ disk: text, ramdisk: text, output: text, smoke: { type: 'boolean' } },
      },
    }),
  )
  const { smoke = false, keys, disk, ramdisk, output } = values
  const scale = number('scale', values.scale, smoke ? 0.002 : 1, value => value > 0)
  return {
    smoke,
    scale: scaleOf(scale, keys === undefined ? undefined : number('keys', keys, 1, isCount)),
    runs: number('runs', values.runs, smoke ? 1 : 5, isCount),
    jobs: names('jobs', values.jobs, jobs, jobs),
    peers: values.peers === 'none' ? [] : names('peers', values.peers, peers, peers),
    places: [
      { name: 'disk', folder: resolve(disk ?? join(folder, 'data')) },
      ...(ramdisk === undefined ? [] : [{ name: 'ramdisk' as const, folder: resolve(ramdisk) }]),
    ],
    output: resolve(output ?? join(folder, 'results')),
  }
}
