/** A process that runs the cases it is told of, and says before each which one: it may be its last. */

import { mutate } from './mutate.ts'
import { Random } from './random.ts'
import { Defect, runCase } from './run-case.ts'
import { samples } from './samples.ts'

/** Above what a case finds: as much as the budget, and what the heap may keep for a while. */
const MOST_GROWTH = 320 * 2 ** 20

export interface Work {
  seed: number
  from: number
  to: number
}

export type Word =
  | { kind: 'begin'; number: number }
  | { kind: 'damaged'; how: string }
  | { kind: 'end'; outcome: string }
  | { kind: 'defect'; message: string }
  | { kind: 'done' }

const all = samples()

process.on('message', async ({ seed, from, to }: Work) => {
  for (let number = from; number < to; number++) {
    say({ kind: 'begin', number })
    const random = new Random(seed, number)
    const sample = random.pick(all)
    const before = process.resourceUsage().maxRSS * 1024
    try {
      const { file, how } = mutate(sample, random)
      say({ kind: 'damaged', how: `${how}, ${sample.name}` })
      say({ kind: 'end', outcome: await runCase(sample, file, random) })
    } catch (error) {
      const cause = error instanceof Defect && error.cause !== undefined ? `: ${stackOf(error.cause)}` : ''
      say({ kind: 'defect', message: error instanceof Defect ? `${error.message}${cause}` : stackOf(error) })
    }
    const grown = process.resourceUsage().maxRSS * 1024 - before
    if (number > from && grown > MOST_GROWTH)
      say({ kind: 'defect', message: `the process grew by ${grown} bytes` })
  }
  say({ kind: 'done' })
})

function say(word: Word): void {
  process.send!(word)
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
