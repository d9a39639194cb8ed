import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatProgress, showProgress } from '../../src/core/progress.ts'
import type { Progress } from '../../src/core/report.ts'

const moment: Progress = {
  phase: 'run',
  rowsIn: 1_500_000,
  rowsTotal: 3_000_000,
  rowsOut: 1_000_000,
  bytesRead: 2 ** 20,
  bytesTotal: undefined,
  bytesWritten: 1536,
  files: 12,
  retries: 0,
  seconds: 1.25,
}

function watched() {
  const reasons: unknown[] = []
  return { reasons, progress: () => moment, abort: (reason: unknown) => void reasons.push(reason) }
}

function terminal(isTTY: boolean, columns = 200) {
  const text: string[] = []
  return { text, isTTY, columns, write: (chunk: string) => void text.push(chunk) }
}

test('a moment as a line', () => {
  const half = `${'█'.repeat(12)}${'░'.repeat(12)}`
  const rest = '1,500,000 rows in  1,000,000 out  1 MiB read  1.5 KiB written  12 files'
  assert.equal(formatProgress(moment), `run  ${half} 50%  ${rest}  1.3 s`)
  assert.match(formatProgress({ ...moment, phase: 'plan' }), /^plan {2}1,500,000 rows in/)
  assert.match(formatProgress({ ...moment, rowsTotal: undefined, bytesTotal: 2 ** 22 }), / 25% /)
  assert.match(formatProgress({ ...moment, rowsTotal: undefined }), /^run {2}1,500,000 rows in/)
  assert.match(formatProgress({ ...moment, rowsIn: 0, rowsTotal: 0 }), / 100% /)
  assert.match(formatProgress({ ...moment, retries: 2 }), / 2 retries /)
})

test('on a terminal one line is redrawn, within its width, and ended at the end', t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const screen = terminal(true, 40)
  const stop = showProgress(watched(), true, formatProgress, screen)
  t.mock.timers.tick(450)
  assert.equal(screen.text.length, 2)
  stop()
  t.mock.timers.tick(10_000)
  assert.deepEqual(screen.text.slice(2), [`\r${formatProgress(moment).slice(0, 39)}\x1b[K`, '\n'])
})

test('elsewhere there is a line every few seconds, and one at the end', t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const log = terminal(false)
  const stop = showProgress(watched(), true, formatProgress, log)
  t.mock.timers.tick(10_000)
  stop()
  assert.deepEqual(log.text, Array(3).fill(`${formatProgress(moment)}\n`))
})

test('a function is called; one that throws aborts the run', t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const seen: Progress[] = []
  const screen = terminal(true)
  showProgress(watched(), progress => void seen.push(progress), formatProgress, screen)()
  assert.deepEqual([seen, screen.text], [[moment], []])

  const run = watched()
  const failure = new Error('mine')
  const fails = () => {
    throw failure
  }
  const stop = showProgress(run, fails, formatProgress)
  t.mock.timers.tick(200)
  const [reason] = run.reasons
  assert.throws(
    () => {
      throw reason
    },
    { code: 'callback', option: 'progress', cause: failure },
  )
  stop()
})

test('nothing is shown unless asked', () => {
  const screen = terminal(true)
  showProgress(watched(), false, formatProgress, screen)()
  assert.deepEqual(screen.text, [])
})
