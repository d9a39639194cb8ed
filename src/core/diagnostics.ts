import { type Channel, channel } from 'node:diagnostics_channel'

/**
 * The channels of `node:diagnostics_channel` that Sluice publishes on. Their names and messages are API.
 *
 * | channel | message | when |
 * |---|---|---|
 * | `sluice:storage:request` | `StorageRequestEvent` | a request of an observed store has ended |
 */
export const channels: { readonly storageRequest: Channel } = {
  storageRequest: channel('sluice:storage:request'),
}
