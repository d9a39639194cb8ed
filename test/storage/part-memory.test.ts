import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { openStore } from '../../src/index.ts'
import { PartMemory } from '../../src/storage/remote/part-memory.ts'
import { type PartUpload, PartWriter } from '../../src/storage/remote/part-writer.ts'
import { openBucket } from '../../src/storage/s3/bucket.ts'
import { S3Store } from '../../src/storage/s3/store.ts'
import { collect, pattern } from '../../src/testing/conformance/context.ts'
import { noS3, type S3Server, startS3 } from '../servers/s3.ts'

const KIB = 1024
const MIB = KIB * KIB

let server: S3Server
before(async () => {
  if (!noS3) server = await startS3()
})
after(() => server?.stop())

test('two hundred uploads at once stay within the memory, and arrive whole', { skip: noS3 }, async () => {
  const name = `test-${randomUUID()}`
  server.createBucket(name)
  const { endpoint, region, credentials } = server
  const limit = 64 * MIB
  const memory = new PartMemory(limit)
  const store = new S3Store(await openBucket(name, '', { endpoint, region, credentials }), true, memory)
  const rows = pattern(100 * KIB)
  const writers = await Promise.all(
    Array.from({ length: 200 }, (_, i) => store.stage(`p=${String(i).padStart(3, '0')}/file`)),
  )
  const hashes = writers.map(() => createHash('sha256'))
  // One row group after another, as partitions get them, until each has most of a part and some have more.
  for (let round = 0; round < 6; round++) {
    await Promise.all(
      writers.map(async (writer, i) => {
        const bytes = rows.subarray(i, i + 50 * KIB)
        for (let n = 0; n < (i < 4 ? 40 : 1); n++) {
          await writer.write(bytes)
          hashes[i]!.update(bytes)
        }
      }),
    )
  }
  await Promise.all(writers.map(async writer => store.completeStaged(await writer.seal())))
  const listed = await collect(store.list())
  assert.equal(listed.length, 200)
  for (const [i, { key }] of listed.entries()) {
    const hash = createHash('sha256')
    for await (const bytes of (await store.get(key)).body) hash.update(bytes)
    assert.equal(hash.digest('hex'), hashes[i]!.digest('hex'), key)
  }
  assert.ok(memory.highWater <= limit, `${memory.highWater} of ${limit}`)
  assert.ok(memory.highWater > limit / 4, 'memory that is there is used')
  assert.ok(memory.spilledBytes > 0, 'more was written than fits')
  assert.deepEqual([memory.filling.used, memory.sending.used], [0, 0])
})

/** An upload to nowhere that keeps what arrives, and whose parts may fail. */
class Upload implements PartUpload<string> {
  readonly key = 'key'
  readonly place = 'memory:key'
  readonly parts: Buffer[] = []
  failures: number
  constructor(failures = 0) {
    this.failures = failures
  }
  partBytes(): number {
    return 1_000
  }
  async send(number: number, bytes: Uint8Array): Promise<string> {
    await new Promise(resolve => setImmediate(resolve))
    if (this.failures-- > 0) throw new Error('lost')
    this.parts[number - 1] = Buffer.from(bytes)
    return String(number)
  }
  token(parts: readonly string[]): Record<string, unknown> {
    return { parts }
  }
  async abort(): Promise<void> {}
}

test('memory for less than a part of each is enough, whatever fails', async () => {
  const memory = new PartMemory(3_000)
  const whole = pattern(9_999)
  const uploads = Array.from({ length: 20 }, (_, i) => new Upload(i % 3))
  await Promise.all(
    uploads.map(async (upload, i) => {
      const writer = new PartWriter(upload, memory)
      const steps = [1, 300, 999, 1_000, 2_500, 10_000]
      for (let start = 0; start < whole.length; ) {
        const bytes = whole.subarray(start, start + steps[(start + i) % steps.length]!)
        for (let done = false; !done; ) {
          done = await writer.write(bytes).then(
            () => true,
            () => false,
          )
        }
        start += bytes.length
      }
      for (let done = false; !done; ) {
        done = await writer.seal().then(
          () => true,
          () => false,
        )
      }
    }),
  )
  for (const { parts } of uploads) assert.ok(Buffer.concat(parts).equals(whole))
  assert.deepEqual([memory.filling.used, memory.sending.used], [0, 0])
  assert.ok(memory.highWater <= 3_000, `${memory.highWater}`)
})

test('an upload that is given up gives its memory back, also while it waits for some', async () => {
  const memory = new PartMemory(3_000)
  const held = new PartWriter(new Upload(Number.POSITIVE_INFINITY), memory)
  await held.write(new Uint8Array(1_000))
  const controller = new AbortController()
  const waiting = new PartWriter(new Upload(), memory)
  await waiting.write(new Uint8Array(900))
  const write = waiting.write(new Uint8Array(200), { signal: controller.signal })
  setImmediate(() => controller.abort('stop'))
  await assert.rejects(write, error => error === 'stop')
  await held.abort()
  // It was not appended, and can be repeated now.
  await waiting.write(new Uint8Array(200))
  assert.equal((await waiting.seal()).size, 1_100)
  assert.deepEqual([memory.filling.used, memory.sending.used], [0, 0])
})

test('what a store may hold, in bytes and requests, is checked when it is opened', async () => {
  const settings = { endpoint: 'http://127.0.0.1:9', region: 'us-east-1' }
  for (const [option, value] of [
    ['uploadMemory', 'much'],
    ['uploadMemory', 0],
    ['concurrency', 0],
    ['concurrency', 1.5],
  ] as const) {
    await assert.rejects(openStore('s3://bucket', { ...settings, [option]: value }), {
      code: 'invalid-argument',
      option,
    })
  }
})
