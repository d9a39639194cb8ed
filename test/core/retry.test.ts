import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { type TestContext, test } from 'node:test'
import { reviveError, SluiceError, serializeError } from '../../src/core/errors.ts'
import { isTransient, RetryBudget, retrying, validateRetryOptions } from '../../src/core/retry.ts'

const io = new SluiceError('io', 'broken pipe')
const fast = { minDelayMs: 0 }

/** Fails with each of `failures`, then succeeds; tells the attempts. */
function failing(...failures: unknown[]) {
  const attempts: number[] = []
  const run = async (attempt: number) => {
    attempts.push(attempt)
    const index = attempts.length - 1
    if (index < failures.length) throw failures[index]
    return 'done'
  }
  return { attempts, run }
}

test('what is transient is tried again, what is not comes back as it was thrown', async () => {
  const timeout = new SluiceError('timeout', 'late')
  const twice = failing(io, timeout)
  const retried: unknown[] = []
  assert.equal(await retrying(twice.run, { ...fast, onRetry: error => retried.push(error) }), 'done')
  assert.deepEqual(twice.attempts, [1, 2, 3])
  assert.deepEqual(retried, [io, timeout])

  for (const failure of [
    new SluiceError('not-found', 'x'),
    new TypeError('fetch failed'),
    'text',
    undefined,
  ]) {
    assert.equal(isTransient(failure), false)
    const once = failing(failure)
    await assert.rejects(retrying(once.run, fast), error => error === failure)
    assert.deepEqual(once.attempts, [1])
  }
})

test('after the last attempt its failure comes back', async () => {
  const last = new SluiceError('io', 'last')
  const { attempts, run } = failing(io, io, last)
  await assert.rejects(retrying(run, { ...fast, attempts: 3 }), error => error === last)
  assert.deepEqual(attempts, [1, 2, 3])
  const once = failing(io)
  await assert.rejects(retrying(once.run, { attempts: 1 }), error => error === io)
  assert.deepEqual(once.attempts, [1])
})

test('shouldRetry decides about any error', async () => {
  const { attempts, run } = failing(new TypeError('mine'), 'text')
  assert.equal(await retrying(run, { ...fast, shouldRetry: () => true }), 'done')
  assert.deepEqual(attempts, [1, 2, 3])
})

/** The pauses that retries of `run` make, without making them. */
async function pausesOf(t: TestContext, random: number, ...failures: unknown[]): Promise<number[]> {
  const pauses: number[] = []
  t.mock.method(Math, 'random', () => random)
  t.mock.method(globalThis, 'setTimeout', (run: () => void, ms: number) => {
    pauses.push(ms)
    queueMicrotask(run)
  })
  await retrying(failing(...failures).run, { minDelayMs: 10, maxDelayMs: 60, attempts: 5 })
  t.mock.restoreAll()
  return pauses
}

test('pauses are anything below bounds that grow', async t => {
  assert.deepEqual(await pausesOf(t, 1, io, io, io, io), [10, 20, 40, 60])
  assert.deepEqual(await pausesOf(t, 0.5, io, io, io, io), [5, 10, 20, 30])
  assert.deepEqual(await pausesOf(t, 0, io, io), [0, 0])
})

test('a service that asks for a longer pause gets it', async t => {
  const busy = (retryAfterMs: number) =>
    new SluiceError('io', 'busy', { retryAfterMs }).within({ file: 'key' })
  assert.deepEqual(await pausesOf(t, 1, busy(3_000), busy(15), io), [3_000, 20, 40])
  assert.deepEqual(await pausesOf(t, 1, busy(1e9)), [300_000])
})

test('a signal ends the pause with its reason, and what succeeded is kept', async () => {
  const reason = { own: 'reason' }
  const controller = new AbortController()
  const { signal } = controller
  const options = {
    minDelayMs: 1e6,
    maxDelayMs: 1e6,
    signal,
    onRetry: () => setImmediate(() => controller.abort(reason)),
  }
  await assert.rejects(retrying(failing(io).run, options), error => error === reason)
  await assert.rejects(retrying(failing().run, { signal }), error => error === reason)
  assert.equal(getEventListeners(signal, 'abort').length, 0)

  const late = new AbortController()
  const run = async () => {
    late.abort(reason)
    return 'made'
  }
  assert.equal(await retrying(run, { signal: late.signal }), 'made')
  const failed = new AbortController()
  const fail = async () => {
    failed.abort(reason)
    throw io
  }
  await assert.rejects(retrying(fail, { signal: failed.signal }), error => error === reason)
})

test('what one layer has given up no other one tries again, wherever the error is told', async () => {
  const last = new SluiceError('io', 'last')
  const inner = failing(io, io, last)
  const outer = failing()
  const both = async () => {
    await outer.run(1)
    return retrying(inner.run, { ...fast, attempts: 3 })
  }
  await assert.rejects(retrying(both, fast), error => error === last)
  assert.deepEqual([inner.attempts, outer.attempts], [[1, 2, 3], [1]])
  assert.equal(last.attempts, 3)
  const elsewhere = reviveError(serializeError(last.within({ file: 'file' })))
  assert.equal(isTransient(elsewhere), false)
  assert.equal(isTransient(reviveError(serializeError(io))), true)
  // What is never tried twice has not been given up.
  await assert.rejects(retrying(failing(io).run, { attempts: 1 }), error => isTransient(error))
})

test('a budget ends retries for all who share it, and fills with successes', async () => {
  const budget = new RetryBudget(2)
  await retrying(failing(io, io).run, { ...fast, budget })
  const last = new SluiceError('io', 'last')
  await assert.rejects(retrying(failing(last).run, { ...fast, budget }), error => error === last)
  assert.equal(last.attempts, 1)
  for (let i = 0; i < 10; i++) await retrying(failing().run, { budget })
  assert.equal(await retrying(failing(io).run, { ...fast, budget }), 'done')
})

test('options are checked', () => {
  for (const [option, value] of [
    ['attempts', 0],
    ['attempts', 1.5],
    ['attempts', Number.NaN],
    ['minDelayMs', -1],
    ['minDelayMs', Number.POSITIVE_INFINITY],
    ['maxDelayMs', 1],
    ['maxDelayMs', Number.NaN],
  ] as const) {
    assert.throws(() => validateRetryOptions({ [option]: value }), { code: 'invalid-argument', option })
  }
  assert.equal(
    validateRetryOptions({ attempts: Number.POSITIVE_INFINITY }).attempts,
    Number.POSITIVE_INFINITY,
  )
})
