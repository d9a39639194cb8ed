import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { isSluiceError } from '../../../src/core/errors.ts'
import { corpus, noCorpus } from '../../support/corpus.ts'
import { arena, footerOf, readRowGroup } from './support.ts'

const folder = join(corpus, 'parquet-testing/data')

/** A place in a file of any length, all equally likely. */
const place = fc.noBias(fc.nat(2 ** 31 - 1))

/** Bytes overwritten here and there, or an end cut off. */
const damage = fc.record({
  edits: fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 6 }),
  /** Edits only the last part of the file, where the footer is, or only the rest. */
  footer: fc.boolean(),
  cut: fc.option(place, { freq: 1 }),
})

for (const name of noCorpus ? [] : smallFiles()) {
  test(`damage to ${name} is either not seen or a typed error`, async () => {
    const original = readFileSync(join(folder, name))
    const footer = original.readUInt32LE(original.length - 8) + 8
    await fc.assert(
      fc.asyncProperty(damage, async ({ edits, footer: inFooter, cut }) => {
        const file = Uint8Array.from(original)
        const [start, length] = inFooter ? [file.length - footer, footer - 8] : [0, file.length - footer]
        for (const [at, value] of edits) file[start + (at % length)] = value
        await assertSurvives(cut === null ? file : file.subarray(0, cut % file.length))
      }),
      { numRuns: 100, seed: 3 },
    )
  })
}

test('there is something to damage', { skip: noCorpus }, () => {
  assert.ok(smallFiles().length > 30)
})

test('a nested column still reads after all that', { skip: noCorpus }, async () => {
  const file = readFileSync(join(folder, 'list_columns.parquet'))
  await readRowGroup(file, footerOf(file), 0, batch => assert.equal(batch.numRows, 3))
})

function smallFiles(): string[] {
  return readdirSync(folder).filter(
    name => name.endsWith('.parquet') && statSync(join(folder, name)).size < 20_000,
  )
}

async function assertSurvives(file: Uint8Array): Promise<void> {
  const used = arena.used
  try {
    const metadata = footerOf(file)
    for (let rowGroup = 0; rowGroup < metadata.rowGroups.length; rowGroup++) {
      await readRowGroup(file, metadata, rowGroup, batch => assert.ok(batch.numRows >= 0))
    }
  } catch (error) {
    if (!isSluiceError(error)) throw error
    assert.ok(['corrupt', 'unsupported', 'budget'].includes(error.code), error.message)
    // A bug of ours would also come as an error of the file: the cause tells.
    const { cause } = error
    const isOurs = cause instanceof Error && !('code' in cause)
    if (isOurs) throw cause
  }
  assert.equal(arena.used, used)
}
