import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type TestContext, test } from 'node:test'
import { tableFromArrays } from 'apache-arrow'
import { fromBatches, parquetFile, type RequestEvent, retry, source } from '../../src/index.ts'
import { bytesOf, pattern, rejectsWith } from '../../src/testing/conformance/context.ts'
import type { WireRequest } from '../../src/testing/index.ts'
import { type FaultBackend, sequence, spoiled } from './fault-cases.ts'

const MIB = 1024 * 1024
const fast = { minDelayMs: 0, maxDelayMs: 0 }

/** Registers what `openStore` sees to in any remote store, by the requests that a real service gets. */
export function requestCases(name: string, backend: FaultBackend): void {
  const { isGet } = backend
  const check = (title: string, run: (t: TestContext) => Promise<void>) =>
    test(`${name}: ${title}`, { skip: backend.skip }, run)

  check('of many pieces that break each is read on from where it stopped, and no byte twice', async t => {
    const whole = pattern(6 * MIB)
    const rangeOf = ({ headers }: WireRequest) => String(headers.range ?? headers['x-ms-range'] ?? '')
    // Each first try breaks, each at another place.
    const { store, direct, wire } = await spoiled(backend, t, (request, ordinal) =>
      isGet(request) && Number(/\d+/.exec(rangeOf(request))) % MIB === 0
        ? { cut: 100_000 * (ordinal + 1) }
        : undefined,
    )
    await direct.put('key', whole)
    const ranges = [
      { start: 0, end: 4 * MIB },
      { start: 5 * MIB, end: 6 * MIB },
    ]
    const views = await store.getRanges('key', ranges, { coalesceGap: 0, maxRequestBytes: MIB })
    ranges.forEach(({ start, end }, i) => {
      assert.ok(Buffer.from(views[i]!).equals(whole.subarray(start, end)))
    })
    const asked = wire.requests.filter(isGet).map(request => /^bytes=(\d+)-(\d+)$/.exec(rangeOf(request))!)
    assert.equal(asked.length, 5 + 5)
    const resumed = asked.filter(([, start]) => Number(start) % MIB !== 0)
    assert.equal(resumed.length, 5, 'each broken request is followed by one for its rest')
    for (const [, start, end] of resumed) {
      assert.equal(Number(end) + 1, Math.ceil(Number(start) / MIB) * MIB)
    }
  })

  check('a reader that tries again above a store that does adds no requests', async t => {
    const { store, direct, wire } = await spoiled(backend, t, request =>
      isGet(request) && /part/.test(request.path) ? { status: 503 } : undefined,
    )
    const rows = tableFromArrays({ a: Int32Array.of(1, 2, 3) })
    await fromBatches(rows.schema, rows.batches).to(parquetFile(direct, 'part.parquet'))
    const read = source(store, { files: 'part.parquet' }).pipe(retry({ attempts: 4, minDelayMs: 0 }))
    await rejectsWith(read.collect(), 'io', '503')
    assert.equal(wire.requests.filter(isGet).length, 5, 'the tries of the store')
  })

  check('a request takes no longer than it may, and is tried again', async t => {
    const whole = pattern(MIB)
    for (const stalls of [2, 3]) {
      const faults = Array.from({ length: stalls }, () => ({ stall: 1_000 }))
      const { store, direct, wire } = await spoiled(backend, t, sequence(isGet, ...faults), {
        retry: { ...fast, attempts: 3, timeoutMs: 300 },
      })
      await direct.put('key', whole)
      const reading = store.getRanges('key', [{ start: 0, end: MIB }])
      if (stalls < 3) assert.ok(Buffer.from((await reading)[0]!).equals(whole))
      else await rejectsWith(reading, 'timeout', 'timeoutMs')
      assert.equal(wire.requests.filter(isGet).length, 3)
    }
  })

  check('no more requests are under way than the store was opened for', async t => {
    let [now, most] = [0, 0]
    const { store, direct } = await spoiled(backend, t, () => undefined, { concurrency: 3 })
    await direct.put('key', pattern(4 * MIB))
    const begin = (message: unknown) => {
      if ((message as RequestEvent).store === store.url) most = Math.max(most, ++now)
    }
    const end = (message: unknown) => {
      if ((message as RequestEvent).store === store.url) now--
    }
    subscribe('sluice:request:start', begin)
    subscribe('sluice:request:end', end)
    try {
      await Promise.all([
        store.getRanges('key', [{ start: 0, end: 4 * MIB }], { maxRequestBytes: 100_000 }),
        ...Array.from({ length: 10 }, (_, i) => store.put(`${i}`, bytesOf('x'))),
      ])
    } finally {
      unsubscribe('sluice:request:start', begin)
      unsubscribe('sluice:request:end', end)
    }
    assert.deepEqual([now, most], [0, 3])
  })
}
