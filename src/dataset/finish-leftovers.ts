import type { BatchMessage } from '../core/transport.ts'
import { eachLane, type LanePool } from './lane-pool.ts'
import type { RowGroupSize } from './partition-buffers.ts'

/**
 * Encodes what waits in the lanes. Small leftovers of one partition in several lanes are lent to the lane that
 * has most of it and become one row group; nothing is copied for that, lanes' memories are shared.
 */
export async function finishLeftovers(pool: LanePool, size: RowGroupSize): Promise<void> {
  const held = new Map<string, { lane: number; rows: number }[]>()
  const leftovers = await Promise.all(
    pool.lanes.map(lane => lane.call<{ path: string; rows: number }[]>('leftovers')),
  )
  leftovers.forEach((partitions, lane) => {
    for (const { path, rows } of partitions) held.set(path, [...(held.get(path) ?? []), { lane, rows }])
  })
  const lends: string[][] = pool.lanes.map(() => [])
  const own: string[][] = pool.lanes.map(() => [])
  for (const [path, holders] of held) {
    holders.sort((a, b) => b.rows - a.rows)
    holders.forEach(({ lane, rows }, i) => {
      if (i > 0 && rows < size.rows * SMALL_LEFTOVER) lends[lane]!.push(path)
      else own[lane]!.push(path)
    })
  }
  const lent = new Map<string, BatchMessage[]>()
  await Promise.all(
    pool.lanes.map(async (lane, i) => {
      if (lends[i]!.length === 0) return
      for (const { path, batches } of await lane.call<{ path: string; batches: BatchMessage[] }[]>(
        'lend',
        lends[i]!,
      )) {
        lent.set(path, [...(lent.get(path) ?? []), ...batches])
      }
    }),
  )
  await eachLane(pool, async (lane, i, failed) => {
    for (const path of own[i]!) {
      if (failed()) return
      const others = lent.get(path) ?? []
      lent.delete(path)
      await lane.call('finish', path, others)
    }
  })
  await Promise.all(pool.lanes.map(lane => lane.call('settle')))
  await Promise.all(pool.lanes.map(lane => lane.call('takeBack')))
}

/** A leftover below this share of a row group is merged with other lanes' leftovers of its partition. */
const SMALL_LEFTOVER = 0.25
