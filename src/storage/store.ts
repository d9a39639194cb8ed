import type { SluiceError } from '../core/errors.ts'

/** What a store knows about an object. */
export interface ObjectMeta {
  /** Relative to the store, `/`-separated, never with `..` or a leading slash. */
  key: string
  /** Bytes. */
  size: number
  /** Opaque; equal tags mean equal bytes. Used for `ifMatch`. */
  etag: string
  lastModified: Date
}

/** What whoever puts an object may say of it. Kept where {@link Capabilities.attributes} says so. */
export interface ObjectAttributes {
  /** Media type, such as `application/vnd.apache.parquet`. */
  contentType?: string | undefined
  /** Names are letters, digits and `_`, in lower case, and begin with a letter; values are printable ASCII. */
  metadata?: Readonly<Record<string, string>> | undefined
}

/** All that a store knows about an object, which listings do not tell. */
export interface ObjectInfo extends ObjectMeta, ObjectAttributes {}

/** Half-open range of bytes. */
export interface ByteRange {
  start: number
  end: number
}

export interface SignalOption {
  /** Rejects with `signal.reason` and stops the work. A write on its way to a service may still happen, whole. */
  signal?: AbortSignal | undefined
  /** Which try of the request this is, from 1 on: said by layers that retry, for diagnostics. @default 1 */
  attempt?: number | undefined
}

export interface GetOptions extends SignalOption {
  /**
   * The bytes wanted: `{ start, end }`, to the end of the object without `end`, or the last `suffix` bytes. What
   * goes beyond the end is cut off; a `start` beyond it is `invalid-argument`.
   */
  range?: { start: number; end?: number } | { suffix: number }
  /** Fails with `precondition` if the object has another tag: pins a reader to one version. */
  ifMatch?: string
}

export interface GetResult {
  meta: ObjectInfo
  /** The bytes that `body` gives, within the object. */
  range: ByteRange
  /**
   * One use, of the one version that `meta` describes: `precondition` if the object is changed in the middle.
   * Holds a connection or file open until it has been read or its loop has been left.
   */
  body: AsyncIterable<Uint8Array>
}

export interface GetRangesOptions extends SignalOption {
  ifMatch?: string
  /** Where the bytes of one coalesced read go; shared memory will do. @default (bytes) => new Uint8Array(bytes) */
  allocate?: (bytes: number) => Uint8Array
  /** Ranges closer than this are read in one request. @default 1 MiB for remote stores, 64 KiB for local ones */
  coalesceGap?: number
  /** What is longer is read by several requests at once. @default 16 MiB for remote stores, no limit for local ones */
  maxRequestBytes?: number
  /** Each request of the read is made through this: where wrappers retry, limit and count them one by one. */
  eachRequest?: EachRequest
}

/**
 * Makes one request of a read. `run` may be called again after it has failed, and then goes on where it stopped, in
 * the same memory and the same version of the object.
 */
export type EachRequest = <T>(
  request: {
    /** That it reads. */
    bytes: number
    /** Of a local file: how many stretches of it. @default 1 */
    count?: number
  },
  run: (own?: SignalOption) => Promise<T>,
) => Promise<T>

/** `create`: only if the key is free. `{ ifMatch }`: only if the object still has this tag. */
export type PutMode = 'overwrite' | 'create' | { ifMatch: string }

export interface PutOptions extends SignalOption, ObjectAttributes {
  /** @default 'overwrite' */
  mode?: PutMode
}

export interface StageOptions extends SignalOption, ObjectAttributes {}

export interface CopyOptions extends SignalOption {
  /** @default 'overwrite' */
  mode?: PutMode
}

export interface ListOptions extends SignalOption {
  /** Only keys that begin with this string (not: path segments). @default '' */
  prefix?: string
  /** Only keys greater than this, by the order of their UTF-8 bytes; of a level, prefixes that hold such keys. */
  startAfter?: string
}

/** A folder's worth of a listing: its objects, and the prefixes (ending in `/`) that go deeper. */
export interface ListLevel {
  objects: ObjectMeta[]
  prefixes: string[]
}

/**
 * An upload that nobody sees until it is completed, by this process or by another one that has the
 * {@link StagedUpload}. Parts are written in order, one call at a time; the driver cuts them into whatever the
 * store wants.
 */
export interface StagedWriter {
  /**
   * Appends; resolves when the bytes, which may lie in shared memory, may be reused. If it fails nothing was
   * appended: it may be repeated, with the same bytes.
   */
  write(bytes: Uint8Array, options?: SignalOption): Promise<void>
  /**
   * What is safe by now, as coordinates of which {@link Store.resumeStaged} goes on, in this process or another:
   * its `size` is the bytes that were written and need not be written again. `unsupported` without
   * {@link Capabilities.resume}.
   */
  checkpoint(options?: SignalOption): Promise<StagedUpload>
  /** Ends the upload without making it visible. */
  seal(options?: SignalOption): Promise<StagedUpload>
  /** Gives up and removes what was written. Idempotent. */
  abort(): Promise<void>
}

/** A sealed upload as JSON data: what any process with the same store needs to complete or abort it. */
export interface StagedUpload {
  /** The key it becomes, in the store that it was staged with. */
  key: string
  size: number
  /** The driver's own coordinates. */
  token: Record<string, unknown>
}

/** What a store can do. What is missing fails at plan time with `unsupported`, never halfway. */
export interface Capabilities {
  write: boolean
  list: boolean
  /** `put` with `create` is atomic: exactly one of many concurrent callers wins. */
  putCreate: boolean
  /** `put` with `ifMatch` is atomic. */
  putIfMatch: boolean
  /** `stage` and its completion from another process. */
  stage: boolean
  /** A staged upload goes on in another process from a checkpoint. */
  resume: boolean
  /** Content type and metadata of objects are kept; where not, they are silently dropped, as by a file system. */
  attributes: boolean
}

/** What lies below a store, for calls that the contract does not have. */
export interface UnwrappedStore {
  /** The SDK's client, of the type that `docs/stores.md` names for each kind; undefined for folders and memory. */
  client: unknown
  /** Bucket, container or folder, as the client takes it. */
  container: string
  /** Before each key: `''` or ending in `/`. */
  prefix: string
}

/**
 * A place for objects: the contract that every driver fulfils and every wrapper passes on. Failures are
 * {@link SluiceError}s of the kinds `not-found`, `already-exists`, `precondition`, `permission`, `unsupported`,
 * `io` and `invalid-argument`; an aborted call rejects with the signal's own reason.
 */
export interface Store {
  /** For messages and for {@link openStore}; without credentials. */
  readonly url: string
  readonly capabilities: Capabilities
  /** The store that `child()` started from and the prefix within it (`''` or ending in `/`). */
  readonly root: { store: Store; prefix: string }

  /** The store of the keys below the folder `prefix`. It stages at its root. */
  child(prefix: string): Store
  /** The SDK's client below, past all wrappers: what is done with it is not retried, limited or observed. */
  unwrap(): UnwrappedStore
  /** `not-found` if there is no such object. */
  head(key: string, options?: SignalOption): Promise<ObjectInfo>
  get(key: string, options?: GetOptions): Promise<GetResult>
  /**
   * Several ranges of one version of an object; near ones share a request. Views, in the order asked, each as
   * long as asked: a range that goes beyond the end is `invalid-argument`.
   */
  getRanges(key: string, ranges: readonly ByteRange[], options?: GetRangesOptions): Promise<Uint8Array[]>
  /** Atomic: readers see the old object or the new one. An iterable body is streamed. */
  put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>, options?: PutOptions): Promise<ObjectMeta>
  /** No error if there is nothing. */
  delete(key: string, options?: SignalOption): Promise<void>
  /**
   * Deletes each, by the store's batch call where it has one. The keys that could not be deleted, with the reason:
   * no failure hides another one. Rejects only for an aborted signal.
   */
  deleteMany(keys: readonly string[], options?: SignalOption): Promise<Map<string, SluiceError>>
  /** All objects, recursively, in ascending order of the keys' UTF-8 bytes. Staged uploads are not among them. */
  list(options?: ListOptions): AsyncIterable<ObjectMeta>
  /** One level: what has no `/` after the prefix, and the common prefixes of the rest. */
  listLevel(options?: ListOptions): Promise<ListLevel>
  /** Within the store, server-side where it can; with content type and metadata. */
  copy(from: string, to: string, options?: CopyOptions): Promise<ObjectMeta>
  stage(key: string, options?: StageOptions): Promise<StagedWriter>
  /**
   * Goes on with an upload behind the bytes that a checkpoint of it has; what was written after that is dropped. One
   * writer at a time. `not-found` once it was aborted or completed; `unsupported` without {@link Capabilities.resume}.
   */
  resumeStaged(checkpoint: StagedUpload, options?: SignalOption): Promise<StagedWriter>
  /**
   * Makes it visible at its key, replacing what is there. Idempotent: completing again succeeds for as long as
   * the object is there; `not-found` once it was aborted, or has since been replaced or deleted.
   */
  completeStaged(upload: StagedUpload, options?: SignalOption): Promise<ObjectMeta>
  /** Removes it; no error if it is gone. Never touches a completed object. */
  abortStaged(upload: StagedUpload, options?: SignalOption): Promise<void>
  /**
   * Uploads whose keys begin with `prefix` and that are neither completed nor aborted, with the time since when
   * nothing is known to have happened to them. Sealed or not, so of use to {@link Store.abortStaged} only.
   */
  listStaged(prefix: string, options?: SignalOption): AsyncIterable<{ upload: StagedUpload; started: Date }>
}
