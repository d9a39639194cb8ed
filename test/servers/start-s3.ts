/**
 * Starts an S3 server for trying things by hand, with an empty bucket `lake`, until it is interrupted:
 *
 *     test/servers/install.sh && npx node --import tsx test/servers/start-s3.ts
 */
import { startS3 } from './s3.ts'

const { endpoint, region, credentials, createBucket, stop } = await startS3()
createBucket('lake')
console.log(`export AWS_ENDPOINT_URL=${endpoint} AWS_REGION=${region}`)
console.log(`export AWS_ACCESS_KEY_ID=${credentials.accessKeyId}`)
console.log(`export AWS_SECRET_ACCESS_KEY=${credentials.secretAccessKey}`)
console.log('# in another terminal; the bucket is s3://lake')
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop())
