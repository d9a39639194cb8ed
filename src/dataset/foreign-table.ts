import { SluiceError } from '../core/errors.ts'
import type { SignalOption, Store } from '../storage/store.ts'

/** Folders in which table formats say which files they consist of. */
const LOGS: Readonly<Record<string, string>> = { '_delta_log/': 'a Delta table', '.hoodie/': 'a Hudi table' }

/**
 * Fails with `unsupported` for a folder of which something else than its listing says which files it consists of:
 * to replace a file behind its back would destroy the table.
 */
export async function assertPlainFolder(store: Store, options: SignalOption): Promise<void> {
  const { prefixes, objects } = await store.listLevel(options)
  const log = prefixes.find(prefix => prefix in LOGS)
  if (log !== undefined) throw refused(store, LOGS[log]!, log)
  const index = objects.find(({ key }) => key === '_metadata')
  if (index !== undefined) throw refused(store, 'a dataset with an index of its row groups', index.key)
  if (!prefixes.includes('metadata/')) return
  const { objects: files } = await store.listLevel({ ...options, prefix: 'metadata/' })
  const table = files.find(({ key }) => key.endsWith('.metadata.json'))
  if (table !== undefined) throw refused(store, 'an Iceberg table', table.key)
}

function refused(store: Store, what: string, because: string): SluiceError {
  return new SluiceError('unsupported', `is ${what} (it has '${because}'), whose files cannot be replaced`, {
    file: store.url,
    hint: 'Compact it with the engine that it belongs to, or into another place.',
  })
}
