/**
 * What the children in Node share. A child is given its task as JSON (`Task` of ../jobs.ts), does it once, and
 * prints one line of JSON (`Answer` of ../child.ts). Its time leaves imports out, its memory does not.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

export const task = JSON.parse(process.argv[2])

/** The task's source files, in order. */
export const files = task.data.flatMap(folder =>
  readdirSync(folder)
    .filter(name => name.endsWith('.parquet'))
    .sort()
    .map(name => join(folder, name)),
)

/**
 * Times `work` and prints the answer. `work` gives the rows that it has decoded (none for a rewrite), what else
 * is to be printed, and `save`, which is called after the measurement if the task is to be checked: it writes
 * what was decoded as Parquet.
 */
export async function measure(version, work) {
  const startedAt = Date.now()
  const start = performance.now()
  const { rows, save, ...more } = await work()
  const seconds = (performance.now() - start) / 1000
  const peakRssBytes = peakRss()
  if (task.check) await save?.()
  console.log(JSON.stringify({ version, startedAt, seconds, peakRssBytes, rows, ...more }))
}

/** Version of a package that is resolved from here. */
export function versionOf(name) {
  for (const folder of createRequire(import.meta.url).resolve.paths(name)) {
    try {
      return JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')).version
    } catch (error) {
      if (error.code !== 'ENOENT') throw error
    }
  }
  throw new Error(`${name} is not installed`)
}

/**
 * The most memory that was resident. On Linux from /proc: the kernel starts `ru_maxrss` of a new process with
 * what its parent had, and the harness may have been large.
 */
function peakRss() {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024
}
