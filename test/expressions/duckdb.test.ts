import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Arena } from '../../src/core/arena.ts'
import { isSluiceError } from '../../src/core/errors.ts'
import { bind } from '../../src/core/expressions/bind.ts'
import { evaluate, select } from '../../src/core/expressions/evaluate.ts'
import type { Expr } from '../../src/core/expressions/expr.ts'
import { cases } from '../support/cases.ts'
import { openDuckDB } from '../support/duckdb.ts'
import { expressions } from './generate.ts'
import { dictionaryBatch, plainBatch, ROWS, SCHEMA, shown, shownBy, slicedBatch, tableSql } from './table.ts'

const BATCHES = { plain: plainBatch(), sliced: slicedBatch(), dictionaries: dictionaryBatch() }

test('any expression has the value that DuckDB gives it', async t => {
  const { connection, query } = await openDuckDB(t)
  await connection.run(tableSql())
  const arena = new Arena(1 << 26)
  let compared = 0
  let failed = 0

  const check = async (expr: Expr) => {
    const bound = bind(expr, SCHEMA)
    const theirs = await query(`SELECT ${expr} AS v FROM t ORDER BY row_number`).catch(
      (error: Error) => error,
    )
    for (const [form, batch] of Object.entries(BATCHES)) {
      const region = arena.region()
      try {
        const data = evaluate(bound, batch, region)
        // An overflow there: DuckDB folds constants first, and may meet it where no row does.
        if (theirs instanceof Error) continue
        const ours = Array.from({ length: ROWS }, (_, row) => shown(bound.type, data, row))
        assert.deepEqual(
          ours,
          theirs.map(({ v }) => shownBy(bound.type, v)),
          `${form}: ${expr}`,
        )
        if (bound.root.repr === 'bool') {
          const { count, indices } = select(bound, batch, region)
          const rows = ours.flatMap((value, row) => (value === '1' ? [row] : []))
          assert.equal(count, rows.length, `${form}: ${expr}`)
          if (indices !== 0) assert.deepEqual([...arena.i32(indices, count)], rows, `${form}: ${expr}`)
          else assert.ok(count === 0 || count === ROWS)
        }
        compared++
      } catch (error) {
        // And here: DuckDB does not compute what it folds away.
        if (!isSluiceError(error)) throw error
        assert.match(error.message, /leaves|cannot be cast/)
        if (!(theirs instanceof Error)) failed++
      } finally {
        region.free()
      }
    }
  }

  for (const kind of ['condition', 'int', 'float', 'decimal', 'text', 'date', 'time'] as const) {
    await fc.assert(fc.asyncProperty(expressions[kind], check), {
      numRuns: cases(kind === 'condition' ? 400 : 150),
    })
  }
  assert.ok(
    compared > cases(2000) && failed < compared / 20,
    `${compared} comparisons, ${failed} failures of ours alone`,
  )
})
