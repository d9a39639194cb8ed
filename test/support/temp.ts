import { mkdtempSync, realpathSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Cleanup } from './duckdb.ts'

/** A new, empty folder that is removed when the test ends. */
export function tempFolder(t: Cleanup): string {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'sluice-'))
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }))
  return folder
}
