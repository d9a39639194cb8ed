/**
 * Runs the test files (all, or those whose path contains one of the arguments) with node:test. Two things that
 * `node --test` calls a success fail here: no test file at all, and, where `CI` is set, a skipped test. Node is
 * to be started with `--import tsx`, which the processes of the test files inherit.
 */
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const wanted = process.argv.slice(2)
const files = readdirSync(join(root, 'test'), { recursive: true })
  .filter(
    file => file.endsWith('.test.ts') && (wanted.length === 0 || wanted.some(part => file.includes(part))),
  )
  .sort()
if (files.length === 0) {
  console.error(`no test file matches ${wanted.join(' ') || '*.test.ts'}`)
  process.exit(1)
}

/** Reason → number of tests skipped for it. */
const skipped = new Map()
const note = ({ skip }) => {
  if (skip !== undefined && skip !== false) skipped.set(skip, (skipped.get(skip) ?? 0) + 1)
}
run({
  cwd: root,
  files: files.map(file => join(root, 'test', file)),
  concurrency: availableParallelism() + 1,
})
  .on('test:fail', event => {
    process.exitCode = 1
    note(event)
  })
  .on('test:pass', note)
  .compose(spec)
  .pipe(process.stdout)

process.on('exit', () => {
  if (skipped.size === 0) return
  const lines = [...skipped].map(
    ([reason, count]) => `  ${count} × ${reason === true ? 'no reason given' : reason}`,
  )
  console.error(`\nSKIPPED, so not tested here:\n${lines.join('\n')}`)
  // Of a run with a part of the cases others are the whole (see test/support/cases.ts).
  skipped.delete('tested on one version of Node')
  if (process.env.CI && skipped.size > 0) process.exitCode = 1
})
