import type { ObjectMeta, Store } from '../store.ts'

/** The metadata that says of what version of the source an object is a copy. */
export const SOURCE_TAG = 'sluice_source'

/** A tag as metadata can hold it. */
export function sourceTag({ etag }: ObjectMeta): string {
  return encodeURIComponent(etag)
}

/**
 * Whether the destination has what the source has. Of another size, it has not. Then the first of these decides:
 *
 * 1. equal tags that are MD5 digests: it has;
 * 2. the version that the object says to be a copy of (not where the store itself copies: that takes over metadata
 *    as they are);
 * 3. the times: it has if it was not changed before the source was.
 */
export async function isSame(
  source: ObjectMeta,
  target: ObjectMeta,
  to: Store,
  { within, signal }: { within: boolean; signal: AbortSignal | undefined },
): Promise<boolean> {
  if (source.size !== target.size) return false
  if (source.etag === target.etag && /^[0-9a-f]{32}$/i.test(source.etag)) return true
  if (!within && to.capabilities.attributes) {
    const { metadata, etag } = await to.head(target.key, { signal })
    if (etag === target.etag && metadata?.[SOURCE_TAG] !== undefined) {
      return metadata[SOURCE_TAG] === sourceTag(source)
    }
  }
  return target.lastModified.getTime() >= source.lastModified.getTime()
}
