/** What the children in Node share that move objects; see support.mjs and ../storage/place.ts. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { task } from './support.mjs'

const block = readFileSync(task.block)
const CHUNK = block.length

/** Bytes that begin with their number. */
export function piece(i, length = CHUNK) {
  const bytes = Buffer.from(block.subarray(0, length))
  bytes.writeUInt32LE(i)
  return bytes
}

/** The large object. */
export async function* large() {
  for (let i = 0; i * CHUNK < task.large; i++) yield piece(i)
}

export function smallKey(i) {
  return `small/${String(i).padStart(6, '0')}`
}

/** Runs `work` for each small object, 16 at a time. */
export async function eachSmall(work) {
  let next = 0
  const worker = async () => {
    for (let i = next++; i < task.small; i = next++) await work(i, smallKey(i))
  }
  await Promise.all(Array.from({ length: 16 }, worker))
}

/** Counts what is read, and takes its hash if that is to be checked. */
export async function readLarge(chunks) {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.length
    if (task.check) hash.update(chunk)
  }
  return { rows: 1, bytes, ...(task.check && { sha256: hash.digest('hex') }) }
}

/** Reads the small objects by `get`, which gives the bytes of one. */
export async function readSmall(get) {
  const hashes = []
  let bytes = 0
  await eachSmall(async (i, key) => {
    const chunk = await get(key)
    bytes += chunk.length
    if (task.check) hashes[i] = createHash('sha256').update(chunk).digest()
  })
  const sha256 = () => createHash('sha256').update(Buffer.concat(hashes)).digest('hex')
  return { rows: task.small, bytes, ...(task.check && { sha256: sha256() }) }
}

/** Counts the keys of a listing, each of which is a text or has one. */
export async function listed(keys) {
  const kept = []
  let rows = 0
  for await (const key of keys) {
    rows++
    if (task.check) kept.push(key)
  }
  const sha256 = () => createHash('sha256').update(kept.join('\n')).digest('hex')
  return { rows, bytes: 0, ...(task.check && { sha256: sha256() }) }
}
