import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from './support/root.ts'
import { tempFolder } from './support/temp.ts'

/** What each recipe prints at its end, where it has compared itself with DuckDB. */
const endings: Record<string, RegExp> = {
  'quickstart.ts': /DuckDB +reads 2,946,774 rows from quickstart\/flights, expects 2,946,774\n$/,
  'medallion.ts': /DuckDB: silver has (\d+,\d+) \(rows, days\), expects \1\n$/,
}

test('every recipe is tested', () => {
  assert.deepEqual(readdirSync(join(root, 'recipes')).sort(), Object.keys(endings).sort())
})

for (const [recipe, ending] of Object.entries(endings)) {
  test(`recipe ${recipe} runs and agrees with DuckDB`, t => {
    // In a folder of its own, with the package under its name as a user has it.
    const folder = tempFolder(t)
    cpSync(join(root, 'recipes', recipe), join(folder, 'recipes', recipe))
    cpSync(join(root, 'package.json'), join(folder, 'package.json'))
    for (const name of ['dist', 'node_modules']) symlinkSync(join(root, name), join(folder, name))
    const run = spawnSync(process.execPath, ['--import', 'tsx', join('recipes', recipe)], {
      cwd: folder,
      encoding: 'utf8',
    })
    assert.equal(run.status, 0, run.stderr)
    assert.match(run.stdout, ending)
  })
}
