import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { test } from 'node:test'
import { type Data, type RecordBatch, Vector } from 'apache-arrow'
import fc from 'fast-check'
import { cases } from '../../support/cases.ts'
import { noPython, python } from '../../support/python.ts'
import { tempFolder } from '../../support/temp.ts'
import { differences, footerOf, readRowGroup } from './support.ts'
import { WRITE_FILES } from './written.ts'

test('files of other writers', { skip: noPython }, async t => {
  const folder = tempFolder(t)
  const paths = await python<string[]>(WRITE_FILES, { folder })
  await t.test('read as in PyArrow', async t => {
    const found = await differences(paths, folder)
    for (const [index, path] of paths.entries()) {
      await t.test(basename(path), () => assert.deepEqual(found[index], []))
    }
  })
  await t.test('read the same in pieces as at once', async t => {
    const inPieces = paths.filter(path => /holes-v|sparse-v2|duckdb-wide-zstd|nested/.test(path))
    assert.ok(inPieces.length > 20)
    for (const path of inPieces) await t.test(basename(path), () => piecesEqualWhole(path))
  })
})

/** Reads and skips of any size, in any order, give the same values as one read. */
async function piecesEqualWhole(path: string): Promise<void> {
  const file = readFileSync(path)
  const metadata = footerOf(file, path)
  const whole: string[][] = []
  await readRowGroup(file, metadata, 0, batch => void whole.push(...textOf(batch)))
  const step = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 2000 }))
  const steps = fc.array(fc.tuple(step, fc.boolean()), { minLength: 1, maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(steps, async steps => {
      const { numRows } = metadata.rowGroups[0]!
      let row = 0
      const signed = steps.map(([rows, skipped]) => (skipped ? -rows : rows))
      const starts: number[] = []
      for (const size of signed) {
        if (size > 0) starts.push(Math.min(row, numRows))
        row += Math.abs(size)
      }
      await readRowGroup(
        file,
        metadata,
        0,
        batch => {
          const start = starts.shift()!
          const expected = whole.map(values => values.slice(start, start + batch.numRows))
          assert.deepEqual(textOf(batch), expected)
        },
        { steps: signed, inArena: true },
      )
    }),
    { numRuns: cases(5), seed: 11 },
  )
}

function textOf(batch: RecordBatch): string[][] {
  return batch.data.children.map((column: Data) => {
    if (column.nullCount === 0 && column.children.length === 0)
      assert.equal(column.nullBitmap?.length ?? 0, 0)
    return Array.from(new Vector([column]), text)
  })
}

function text(value: unknown): string {
  if (ArrayBuffer.isView(value)) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')
  }
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value)
  return JSON.stringify(value, (_key, inner) => (typeof inner === 'bigint' ? String(inner) : inner))
}
