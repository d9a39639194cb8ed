import assert from 'node:assert/strict'
import { test } from 'node:test'
import { transfer } from '../../../src/index.ts'
import { keysOf } from '../../../src/testing/conformance/context.ts'
import { DigestStore, digestOf, GeneratedStore } from './generated.ts'

const MIB = 1024 ** 2
/** 512 MiB, or as many as SLUICE_TRANSFER_MIB says. */
const SIZE = Number(process.env['SLUICE_TRANSFER_MIB'] ?? 512) * MIB + 12_345

test('the memory of a transfer does not depend on the size of the object', async t => {
  const destination = new DigestStore()
  globalThis.gc?.()
  const idle = process.memoryUsage().rss
  let peak = 0
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 20)
  t.after(() => clearInterval(watch))
  const report = await transfer(new GeneratedStore(SIZE), destination, { memory: '64MiB' })
  const above = Math.round((peak - idle) / MIB)
  t.diagnostic(
    `${above} MiB above the idle process for ${Math.round(SIZE / MIB)} MiB, in ${report.seconds} s`,
  )
  assert.deepEqual(report.copied, { objects: 1, bytes: SIZE })
  assert.ok(report.memoryHighWaterBytes <= 64 * MIB, `${report.memoryHighWaterBytes} bytes of the budget`)
  assert.ok(above < 200, `${above} MiB`)
  assert.equal(destination.digest, digestOf(SIZE))
  assert.deepEqual(await keysOf(destination), [], 'no record is left')
})
