import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { folder } from './folder.ts'
import type { Results } from './results.ts'

export function machine(): Results['machine'] {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    system: `${type()} ${release()} ${process.arch}`,
    node: process.version,
  }
}

/** The commit that is measured; with `+` if files differ from it. */
export function commit(): { commit?: string } {
  const describe = ['describe', '--always', '--abbrev=12', '--exclude=*', '--dirty=+']
  const { status, stdout } = spawnSync('git', describe, { cwd: folder, encoding: 'utf8' })
  return status === 0 ? { commit: stdout.trim() } : {}
}

/** Writes results as JSON, and the page of them, to a folder. */
export function save(results: { date: string }, html: string, output: string): void {
  mkdirSync(output, { recursive: true })
  const path = join(output, results.date.replace(/[:.]/g, '-'))
  writeFileSync(`${path}.json`, `${JSON.stringify(results)}\n`)
  writeFileSync(`${path}.html`, html)
  console.log(`\n${path}.json\n${path}.html`)
}
