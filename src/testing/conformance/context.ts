import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type ErrorCode, isSluiceError } from '../../core/errors.ts'
import { readAll } from '../../storage/read.ts'
import type { ListOptions, ObjectMeta, StagedUpload, Store } from '../../storage/store.ts'

/** What a test of the suite works on. */
export interface StoreUnderTest {
  /** Empty, and nobody else's. */
  store: Store
  /** Opens the same place again, as another process would. */
  reopen: () => Promise<Store>
  /** What puts objects there and deletes them, for a store that is read-only. @default store */
  seed?: Seed
}

/** Another way to the objects of a store. */
export interface Seed {
  put(key: string, bytes: Uint8Array): Promise<unknown>
  delete(key: string): Promise<unknown>
}

export type MakeStore = (t: TestContext) => Promise<StoreUnderTest>

export interface ConformanceOptions {
  /** Whether the store refuses to write (`capabilities.write` is false), so that a {@link Seed} is needed. @default false */
  readOnly?: boolean
  /** Whether the store does not list (`capabilities.list` is false). @default false */
  unlisted?: boolean
  /** Whether an object `a` can exist beside an object `a/b`; where it cannot that is `unsupported`. @default true */
  nesting?: boolean
  /** Whether a folder can become empty while something else is put into it, which file systems find hard. @default true */
  sharedFolders?: boolean
  /** What it is where that is found only when a staged upload is completed. @default 'unsupported' */
  nestingFound?: ErrorCode
  /** Whether a tag is made of the bytes alone, so that the same bytes put again have the same. @default false */
  contentTags?: boolean
  /** Keys that the store cannot keep: they are `unsupported`, and not put under another name. @default none */
  refused?: RegExp
  /** What a read of one version is where there is no object any more. @default 'not-found' */
  pinnedMissing?: ErrorCode
  /**
   * Whether of several processes that complete a staged upload at the same time one makes the object; where each of
   * them does, its tag changes. @default true
   */
  completesOnce?: boolean
  /** Why the tests cannot run here, if they cannot. @default false */
  skip?: string | false
}

/** Registers one test of the suite. */
export type Check = (
  title: string,
  run: (under: Required<StoreUnderTest>, t: TestContext) => Promise<void>,
) => void

export function checker(make: MakeStore): Check {
  return (title, run) => {
    test(title, async t => {
      const under = await make(t)
      await run({ seed: under.store, ...under }, t)
    })
  }
}

/** What is no key. */
export const NO_KEYS: readonly string[] = [
  ...['', '/', '/a', 'a/', 'a//b', '.', '..', '../a', 'a/../b', 'a/./b', 'a/..', 'a\0b', '\ud800'],
]

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** Bytes of which any two stretches differ. */
export function pattern(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = seed * 2654435761
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

export async function* streamOf(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  yield* chunks
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

export async function textOf(store: Store, key: string): Promise<string> {
  return new TextDecoder().decode(await readAll(store, key))
}

export async function keysOf(store: Store, options?: ListOptions): Promise<string[]> {
  return (await collect(store.list(options))).map(({ key }) => key)
}

/** Passes an upload on as another process would get it. */
export function posted(upload: StagedUpload): StagedUpload {
  return JSON.parse(JSON.stringify(upload)) as StagedUpload
}

export async function stageText(store: Store, key: string, text: string): Promise<StagedUpload> {
  const writer = await store.stage(key)
  await writer.write(bytesOf(text))
  return posted(await writer.seal())
}

export async function rejectsWith(promise: Promise<unknown>, code: ErrorCode, about?: string): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert.ok(isSluiceError(error), `not a SluiceError: ${String(error)}`)
    assert.equal(error.code, code, error.message)
    if (about !== undefined) assert.ok(error.message.includes(about), `${error.message} names ${about}`)
    return true
  })
}

/** Fails unless the store holds nothing at all, visible or not. */
export async function assertEmpty(store: Store): Promise<void> {
  assert.deepEqual(await keysOf(store), [])
  assert.deepEqual(await collect(store.listStaged('')), [])
}

/** Whether both describe the same version of an object. */
export function sameObject(actual: ObjectMeta, expected: ObjectMeta): void {
  const described = ({ key, size, etag, lastModified }: ObjectMeta) => {
    return { key, size, etag, lastModified: lastModified.getTime() }
  }
  assert.deepEqual(described(actual), described(expected))
}
