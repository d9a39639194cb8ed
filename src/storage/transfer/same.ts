import type { ObjectMeta, Store } from '../store.ts'
import type { TransferSettings } from './options.ts'

/** The metadata that says of what version of the source an object is a copy. */
export const SOURCE_TAG = 'sluice_source'

/** The stores of both, and whether they are one, which copies by itself. */
interface Places {
  from: Store
  to: Store
  within: boolean
  settings: Pick<TransferSettings, 'signal'>
}

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
 * 3. the times: it has if it was changed after the source was.
 */
export async function isSame(
  source: ObjectMeta,
  target: ObjectMeta,
  { from, to, within, settings }: Places,
): Promise<boolean> {
  if (source.size !== target.size) return false
  if (source.etag === target.etag && /^[0-9a-f]{32}$/i.test(source.etag)) return true
  if (!within && to.capabilities.attributes) {
    const { metadata, etag } = await to.head(target.key, { signal: settings.signal })
    if (etag === target.etag && metadata?.[SOURCE_TAG] !== undefined) {
      return metadata[SOURCE_TAG] === sourceTag(source)
    }
  }
  return target.lastModified.getTime() > latest(source.lastModified, from)
}

/** The last moment that a time may stand for: many services know whole seconds only, and cut off the rest. */
function latest(time: Date, { url }: Store): number {
  const ms = time.getTime()
  return ms % 1000 === 0 && !/^(file|memory):/.test(url) ? ms + 999 : ms
}
