import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isSluiceError, openStore, TransferError, type TransferReport, transfer } from '../../../src/index.ts'
import { contentsOf, fill, nextMillisecond } from './support.ts'

type Contents = Record<string, string>

const KEYS = ['a', 'a.csv', 'a/b.csv', 'a/b/c.csv', 'a/b/c', 'b', 'é/ü', 'z/\u{10000}', 'z/\uffff']

/** Globs, and what they mean in other words. */
const GLOBS: [string, (key: string) => boolean][] = [
  ['a/**', key => key.startsWith('a/')],
  ['*.csv', key => key.endsWith('.csv') && !key.includes('/')],
  ['**/*.csv', key => key.endsWith('.csv')],
  ['z/?', key => /^z\/.$/su.test(key)],
  ['b', key => key === 'b'],
]

const contents = fc
  .dictionary(fc.constantFrom(...KEYS), fc.constantFrom('', 'x', 'y', 'xx', 'yy', 'zzz'))
  .map(found => ({ ...found }))
const globs = fc.option(fc.uniqueArray(fc.constantFrom(...GLOBS), { minLength: 1, maxLength: 2 }))

const cases = fc.record({
  source: contents,
  target: contents,
  /** Whether the destination's objects are older than the source's. */
  older: fc.boolean(),
  select: globs,
  exclude: globs,
  existing: fc.constantFrom('skip-same' as const, 'overwrite' as const, 'error' as const),
  remove: fc.boolean(),
  force: fc.boolean(),
  verify: fc.constantFrom('size' as const, 'checksum' as const, false as const),
  within: fc.boolean(),
  dryRun: fc.boolean(),
})
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never

/** What is to become of the destination. */
function model({ source, target, older, select, exclude, existing, remove, force }: Case) {
  const matches = (list: typeof select, key: string) => list?.some(([, means]) => means(key))
  const isSelected = (key: string) => (matches(select, key) ?? true) && !(matches(exclude, key) ?? false)
  const after: Contents = { ...target }
  const [copied, skipped, failed, deleted]: string[][] = [[], [], [], []]
  for (const [key, text] of Object.entries(source)) {
    if (!isSelected(key)) continue
    const there = target[key]
    if (there !== undefined && existing === 'error') failed!.push(key)
    else if (there?.length === text.length && existing === 'skip-same' && !older) skipped!.push(key)
    else {
      after[key] = text
      copied!.push(key)
    }
  }
  // A key that is named and is not there fails, but where it is deleted.
  const named = select?.map(([glob]) => glob) ?? []
  const missing =
    named.length > 0 && named.every(glob => glob === 'b') && (source['b'] === undefined || !isSelected('b'))
  if (missing && !remove) failed!.push('b')
  const surplus = Object.keys(target).filter(key => isSelected(key) && source[key] === undefined)
  const isEmpty = !Object.keys(source).some(isSelected)
  const refused = remove && isEmpty && !force && surplus.length > 0
  if (remove && failed!.length === 0 && !refused) {
    for (const key of surplus) {
      delete after[key]
      deleted!.push(key)
    }
  }
  return { after, copied: copied!, skipped: skipped!, failed: failed!, deleted: deleted!, refused }
}

test('a transfer does what the model says', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async input => {
      const { source, target, older, select, exclude, existing, remove, force, verify, within, dryRun } =
        input
      const store = await openStore('memory:')
      const from = store.child('from')
      const to = within ? store.child('to') : await openStore('memory:')
      const state = { '_sluice/jobs/x': 'state' }
      await fill(older ? to : from, older ? target : source)
      await nextMillisecond()
      await fill(older ? from : to, older ? source : target)
      await fill(within ? store : to, state)
      await nextMillisecond()

      const events: Record<string, string[]> = { copied: [], skipped: [], failed: [], deleted: [] }
      const options = {
        select: select?.map(([glob]) => glob),
        exclude: exclude?.map(([glob]) => glob),
        existing,
        delete: remove,
        force,
        verify,
        dryRun,
      }
      let failure: unknown
      const report: TransferReport = await transfer(from, to, {
        ...options,
        concurrency: 2,
        onObject: ({ key, outcome }) => void events[outcome]!.push(key),
      }).catch(error => {
        assert.ok(error instanceof TransferError && isSluiceError(error), String(error))
        failure = error
        return error.report
      })
      const expected = model(input)
      const found = await contentsOf(to)
      if (!within) delete found['_sluice/jobs/x']
      assert.deepEqual(sorted(found), sorted(dryRun ? target : expected.after))
      for (const outcome of ['copied', 'skipped', 'failed', 'deleted'] as const) {
        assert.deepEqual(events[outcome]!.sort(), [...expected[outcome]].sort(), outcome)
      }
      assert.equal(report.copied.objects, expected.copied.length)
      assert.equal(
        report.copied.bytes,
        expected.copied.reduce((sum, key) => sum + source[key]!.length, 0),
      )
      assert.deepEqual(report.failed.map(({ key }) => key).sort(), [...expected.failed].sort())
      assert.equal(failure !== undefined, expected.refused || expected.failed.length > 0)
      assert.deepEqual((await contentsOf(store))['_sluice/jobs/x'], within ? 'state' : undefined)
      if (failure === undefined && !dryRun) {
        const again = await transfer(from, to, { ...options, existing: 'skip-same' })
        assert.deepEqual([again.copied.objects, again.deleted.objects], [0, 0], 'nothing is left to do')
      }
    }),
    { numRuns: 300 },
  )
})

function sorted(contents: Contents): [string, string][] {
  return Object.entries(contents).sort(([a], [b]) => (a < b ? -1 : 1))
}
