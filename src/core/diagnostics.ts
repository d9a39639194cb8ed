import { type Channel, channel } from 'node:diagnostics_channel'

/**
 * The channels of `node:diagnostics_channel` that Sluice publishes on. Their names and messages are API. What is below
 * holds for every store of `openStore`; nothing is made of a message that nobody subscribes to.
 *
 * | channel | message | when |
 * |---|---|---|
 * | `sluice:request:start` | `RequestEvent` | a request is sent, one by one: `getRanges` may make many, each retry is one |
 * | `sluice:request:end` | the same object | it has ended: a write with the answer, a read with its last byte, a listing with its last item |
 * | `sluice:request:retry` | `RetryEvent` | one has failed and another try is made of it, after a pause |
 */
export const channels: Readonly<Record<'requestStart' | 'requestEnd' | 'requestRetry', Channel>> = {
  requestStart: channel('sluice:request:start'),
  requestEnd: channel('sluice:request:end'),
  requestRetry: channel('sluice:request:retry'),
}
