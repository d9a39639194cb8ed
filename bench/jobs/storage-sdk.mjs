/** The SDK alone, as one would write it: `node bench/jobs/storage-sdk.mjs TASK`. */
import { S3 } from '@aws-sdk/client-s3'
import { eachSmall, large, listed, piece, readLarge, readSmall } from './storage-support.mjs'
import { measure, task, versionOf } from './support.mjs'

const PART = 8 * 1024 * 1024
const AT_ONCE = 4

const s3 = new S3({ forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED' })

await measure(versionOf('@aws-sdk/client-s3'), async () => {
  const source = Key => s3.getObject({ Bucket: 'source', Key })
  const target = { Bucket: 'target', Key: 'large/object' }
  switch (task.kind) {
    case 'put-large':
      await upload(target, large())
      return {}
    case 'get-large':
      return readLarge((await source('large/object')).Body)
    case 'put-small':
      await eachSmall((i, Key) => s3.putObject({ Bucket: 'target', Key, Body: piece(i, task.smallBytes) }))
      return {}
    case 'get-small':
      return readSmall(async key => (await source(key)).Body.transformToByteArray())
    case 'list':
      return listed(keys())
    case 'copy-streamed':
      await upload(target, (await source('large/object')).Body)
      return {}
    case 'copy-in-store':
      await s3.copyObject({ Bucket: 'source', Key: 'large/copy', CopySource: 'source/large/object' })
      return {}
  }
})

async function upload(target, chunks) {
  const { UploadId } = await s3.createMultipartUpload(target)
  const sending = new Set()
  const parts = []
  const send = async (PartNumber, Body) => {
    const { ETag } = await s3.uploadPart({ ...target, UploadId, PartNumber, Body })
    parts[PartNumber - 1] = { ETag, PartNumber }
  }
  let number = 0
  for await (const part of partsOf(chunks)) {
    const sent = send(++number, part).finally(() => sending.delete(sent))
    sending.add(sent)
    if (sending.size === AT_ONCE) await Promise.race(sending)
  }
  await Promise.all(sending)
  await s3.completeMultipartUpload({ ...target, UploadId, MultipartUpload: { Parts: parts } })
}

async function* partsOf(chunks) {
  let part = Buffer.allocUnsafe(PART)
  let length = 0
  for await (let chunk of chunks) {
    while (chunk.length > 0) {
      const taken = Math.min(chunk.length, PART - length)
      part.set(chunk.subarray(0, taken), length)
      length += taken
      chunk = chunk.subarray(taken)
      if (length < PART) continue
      yield part
      part = Buffer.allocUnsafe(PART)
      length = 0
    }
  }
  if (length > 0) yield part.subarray(0, length)
}

async function* keys() {
  let ContinuationToken
  do {
    const page = await s3.listObjectsV2({ Bucket: 'keys', ContinuationToken })
    for (const { Key } of page.Contents ?? []) yield Key
    ContinuationToken = page.NextContinuationToken
  } while (ContinuationToken !== undefined)
}
