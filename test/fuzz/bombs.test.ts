import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { BOMBS } from './bombs.ts'
import type { BombEnd } from './bombs-child.ts'

/** The budget of 64 MiB, and what a process takes for itself. */
const MOST = 128 * 2 ** 20

test('small files that claim to be large are refused, and cost no memory', async t => {
  const ends = await readBombs()
  for (const mode of ['streaming', 'batch']) {
    for (const bomb of BOMBS) {
      await t.test(`${bomb.name}, mode ${mode}`, () => {
        const end = ends.find(({ name }) => name === `${bomb.name}, mode ${mode}`)
        assert.ok(end !== undefined, 'the process has ended')
        assert.ok((bomb.ends as string[]).includes(end.end), `${end.end}: ${end.message}`)
        if (end.end !== 'rows') assert.match(end.message, /^memory:\/bomb\.parquet/)
        assert.ok(end.grown < MOST, `the process grew by ${end.grown} bytes`)
      })
    }
  }
})

/** In a process of their own: what one costs another test must not pay. */
async function readBombs(): Promise<BombEnd[]> {
  const ends: BombEnd[] = []
  const module = fileURLToPath(new URL('./bombs-child.ts', import.meta.url))
  const child = fork(module, { execArgv: [...process.execArgv, '--max-old-space-size=256'] })
  child.on('message', (end: BombEnd) => void ends.push(end))
  const code = await new Promise(resolve => child.on('exit', resolve))
  assert.equal(code, 0)
  return ends
}
