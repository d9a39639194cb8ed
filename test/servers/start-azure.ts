/**
 * Starts Azurite for trying things by hand, with an empty container `lake`, until it is interrupted:
 *
 *     test/servers/install.sh && npx node --import tsx test/servers/start-azure.ts
 */
import { startAzure } from './azure.ts'

const { endpoint, account, accountKey, createContainer, stop } = await startAzure()
await createContainer('lake')
const connection = `BlobEndpoint=${endpoint};AccountName=${account};AccountKey=${accountKey}`
console.log(`export AZURE_STORAGE_CONNECTION_STRING='${connection}'`)
console.log('# in another terminal; the container is az://lake')
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop())
