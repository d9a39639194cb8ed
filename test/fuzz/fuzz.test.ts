import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allCases, cases } from '../support/cases.ts'
import { fuzz } from './fuzz.ts'
import { Random } from './random.ts'
import { runCase } from './run-case.ts'
import { samples } from './samples.ts'

/** Enough to see every kind of damage at every kind of file now and then; by hand there are millions. */
const CASES = cases(700)

test('damaged files give the right values or a typed error, and harm nothing else', async t => {
  const { cases: done, outcomes, defects } = await fuzz({ seed: 5, cases: CASES })
  t.diagnostic(JSON.stringify(outcomes))
  assert.deepEqual(defects, [])
  assert.equal(done, CASES)
  for (const outcome of ['corrupt', 'unsupported', 'same values', 'other values']) {
    assert.ok((outcomes[outcome] ?? 0) > 0, `no case of '${outcome}'`)
  }
})

test('a file that is cut off anywhere is corrupt', async () => {
  const own = samples().filter(({ own }) => own)
  const [smallest, ...others] = own.sort((a, b) => a.file.length - b.file.length)
  const nested = others.find(({ name }) => name.includes('nested'))!
  for (const sample of [smallest!, nested]) {
    for (let length = 0; length < sample.file.length; length += allCases ? 1 : 11) {
      const outcome = await runCase(sample, sample.file.slice(0, length), new Random(length))
      assert.equal(outcome, 'corrupt', `${length} bytes of ${sample.name}`)
    }
  }
})
