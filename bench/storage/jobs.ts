const MIB = 1024 * 1024
/** Bytes of a small object. */
export const SMALL: number = 64 * 1024

/** What a child is to do. */
export type StorageTask =
  | 'put-large'
  | 'get-large'
  | 'put-small'
  | 'get-small'
  | 'list'
  | 'copy-streamed'
  | 'copy-in-store'

export interface StorageJob {
  name: StorageTask
  what: string
  /** Objects and their bytes that it is about; a listing is about no bytes. */
  objects: number
  bytes: number
}

export interface StorageScale {
  /** Bytes of the large object. */
  large: number
  /** Small objects. */
  small: number
  /** Keys of the listing. */
  keys: number
}

/** At scale 1: 1 GiB, 10,000 objects of 64 KiB, 100,000 keys. */
export function scaleOf(scale: number, keys: number | undefined): StorageScale {
  return {
    large: Math.max(1, Math.round(1024 * scale)) * MIB,
    small: Math.max(16, Math.round(10_000 * scale)),
    keys: keys ?? Math.max(1_000, Math.round(100_000 * scale)),
  }
}

export function storageJobs({ large, small, keys }: StorageScale): StorageJob[] {
  const one = { objects: 1, bytes: large }
  const many = { objects: small, bytes: small * SMALL }
  const mib = `${large / MIB} MiB`
  const count = small.toLocaleString('en')
  return [
    { name: 'put-large', what: `a stream of ${mib} becomes an object`, ...one },
    { name: 'get-large', what: `an object of ${mib} is streamed`, ...one },
    { name: 'put-small', what: `${count} objects of 64 KiB are put, 16 at a time`, ...many },
    { name: 'get-small', what: `${count} objects of 64 KiB are got, 16 at a time`, ...many },
    { name: 'list', what: `${keys.toLocaleString('en')} keys are listed`, objects: keys, bytes: 0 },
    { name: 'copy-streamed', what: `${mib} go from one bucket to another through the client`, ...one },
    { name: 'copy-in-store', what: `${mib} are copied by the server`, ...one },
  ]
}
