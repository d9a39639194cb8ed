import { createHash } from 'node:crypto'
import { delay } from '../../core/abort.ts'
import { SluiceError } from '../../core/errors.ts'
import { errno } from './errors.ts'
import type { LocalStaging } from './staging.ts'

/** How long a replacing put waits for another one of the same object before it calls that one dead. */
const PATIENCE_MS = 10_000

/**
 * Runs `act` while no other process, and nobody else in this one, does so for the same key. The lock is a file
 * in the staging area: one that a dead process left shows up there as an upload that was never ended.
 */
export async function withLock(
  staging: LocalStaging,
  key: string,
  signal: AbortSignal | undefined,
  act: () => Promise<void>,
): Promise<void> {
  const id = `lock-${createHash('sha256').update(key).digest('hex').slice(0, 32)}`
  const name = { id, key }
  const giveUp = Date.now() + PATIENCE_MS
  for (let wait = 1; ; wait = Math.min(wait * 2, 50)) {
    try {
      await staging.createEmpty(name)
      break
    } catch (error) {
      if (errno(error) !== 'EEXIST') throw error
      if (Date.now() > giveUp) {
        throw new SluiceError('io', 'another process began to replace the object and has not ended', {
          file: staging.pathOf(name),
          hint: 'If that process is no more, delete this lock file.',
          cause: error,
        })
      }
    }
    await delay(wait * (0.5 + Math.random()), signal)
  }
  try {
    await act()
  } finally {
    await staging.remove(staging.pathOf(name))
  }
}
