import { createHash } from 'node:crypto'
import { createReadStream, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openStore } from '../../src/index.ts'
import { type S3Server, startS3 } from '../../test/servers/s3.ts'
import type { Measured } from '../child.ts'
import { SMALL, type StorageJob, type StorageScale } from './jobs.ts'

const CHUNK = 1024 * 1024

/** A server over a folder, with what is to be read in its buckets, and what it should be. */
export interface StoragePlace {
  /** Of the children: the standard variables by which every client finds server and credentials. */
  env: Readonly<Record<string, string>>
  /** What the children are told of it. */
  task: object
  /** Makes room for what the next child writes. */
  clear(): void
  /** Fails unless a child has done what it should, to the last byte if that is to be looked at. */
  verify(job: StorageJob, answer: Measured, check: boolean): Promise<void>
  stop(): Promise<void>
}

/**
 * What is put and read is the same everywhere: pieces of 1 MiB (or of 64 KiB) that begin with their number, as a
 * 32-bit integer, and go on as a block of random bytes does.
 */
export async function openPlace(folder: string, scale: StorageScale): Promise<StoragePlace> {
  mkdirSync(folder, { recursive: true })
  const server: S3Server = await startS3(folder)
  const source = server.createBucket('source')
  const keys = server.createBucket('keys')
  const target = server.createBucket('target')
  const copy = join(source, 'large/copy')
  const scratch = join(folder, `scratch-${process.pid}`)
  mkdirSync(scratch, { recursive: true })
  const block = randomBlock()
  writeFileSync(join(scratch, 'block'), block)

  const { endpoint, region, credentials } = server
  const store = await openStore('s3://source', { endpoint, region, credentials })
  const whole = createHash('sha256')
  await store.put(
    'large/object',
    (async function* () {
      for (let i = 0; i * CHUNK < scale.large; i++) {
        const bytes = piece(block, i, CHUNK)
        whole.update(bytes)
        yield bytes
      }
    })(),
  )
  const small = createHash('sha256')
  for (let i = 0; i < scale.small; i++) {
    const bytes = piece(block, i, SMALL)
    small.update(sha256(bytes))
    await store.put(smallKey(i), bytes)
  }
  const listed: string[] = []
  for (let i = 0; i < scale.keys; i++) {
    const key = `${String(Math.floor(i / 1_000)).padStart(5, '0')}/${String(i % 1_000).padStart(3, '0')}`
    if (i % 1_000 === 0) mkdirSync(join(keys, key, '..'), { recursive: true })
    writeFileSync(join(keys, key), '')
    listed.push(key)
  }
  const expected = {
    large: whole.digest('hex'),
    small: small.digest('hex'),
    keys: createHash('sha256').update(listed.join('\n')).digest('hex'),
  }
  return {
    env: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    task: {
      data: [],
      block: join(scratch, 'block'),
      ...{ source, keys, scratch: join(scratch, 'files') },
      ...{ large: scale.large, small: scale.small, smallBytes: SMALL },
    },
    clear: () => {
      for (const name of readdirSync(target)) rmSync(join(target, name), { recursive: true })
      rmSync(copy, { force: true })
      rmSync(join(scratch, 'files'), { recursive: true, force: true })
      mkdirSync(join(scratch, 'files'))
    },
    verify: async ({ name, objects, bytes }, answer, check) => {
      const told = (what: string, is: unknown, should: unknown) => {
        if (is !== should) throw new Error(`${what} ${is} instead of ${should}`)
      }
      if (name === 'get-large' || name === 'get-small' || name === 'list') {
        told('gave so many objects:', answer.rows, objects)
        told('gave so many bytes:', answer.bytes, bytes)
        const hash = name === 'list' ? expected.keys : name === 'get-small' ? expected.small : expected.large
        if (check) told('gave bytes of the hash', answer.sha256, hash)
      } else if (name === 'put-small') {
        const found = createHash('sha256')
        for (let i = 0; i < objects; i++) {
          const path = join(target, smallKey(i))
          told('wrote an object of so many bytes:', statSync(path).size, SMALL)
          if (check) found.update(await hashOf(path))
        }
        if (check) told('wrote bytes of the hash', found.digest('hex'), expected.small)
      } else {
        const path = name === 'copy-in-store' ? copy : join(target, 'large/object')
        told('wrote so many bytes:', statSync(path).size, bytes)
        told('wrote bytes of the hash', (await hashOf(path)).toString('hex'), expected.large)
      }
    },
    stop: async () => {
      await server.stop()
      rmSync(scratch, { recursive: true, force: true })
    },
  }
}

function smallKey(i: number): string {
  return `small/${String(i).padStart(6, '0')}`
}

function piece(block: Uint8Array, i: number, length: number): Buffer {
  const bytes = Buffer.from(block.subarray(0, length))
  bytes.writeUInt32LE(i)
  return bytes
}

/** The same each time, and nothing that could be compressed. */
function randomBlock(): Uint8Array {
  const block = new Uint32Array(CHUNK / 4)
  let state = 1
  for (let i = 0; i < block.length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    block[i] = state
  }
  return new Uint8Array(block.buffer)
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}

async function hashOf(path: string): Promise<Buffer> {
  const hash = createHash('sha256')
  for await (const bytes of createReadStream(path, { highWaterMark: CHUNK })) hash.update(bytes)
  return hash.digest()
}
