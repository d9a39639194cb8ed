/**
 * Starts fake-gcs-server for trying things by hand, with an empty bucket `lake`, until it is interrupted:
 *
 *     test/servers/install.sh && npx node --import tsx test/servers/start-gcs.ts
 */
import { startGcs } from './gcs.ts'

const { endpoint, createBucket, stop } = await startGcs()
await createBucket('lake')
console.log(`export STORAGE_EMULATOR_HOST=${endpoint}`)
console.log('# in another terminal; the bucket is gs://lake')
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop())
