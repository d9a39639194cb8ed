import assert from 'node:assert/strict'
import { isSluiceError } from '../../core/errors.ts'
import { readAll } from '../../storage/read.ts'
import type { GetOptions } from '../../storage/store.ts'
import {
  bytesOf,
  type Check,
  type ConformanceOptions,
  collect,
  NO_KEYS,
  pattern,
  rejectsWith,
  textOf,
} from './context.ts'

/** `get` and `getRanges`. */
export function checkReading(check: Check, { pinnedMissing = 'not-found' }: ConformanceOptions): void {
  check('get gives the range asked for, cut at the end of the object', async ({ store, seed }) => {
    const size = 600_000
    const whole = pattern(size)
    await seed.put('key', whole)
    const cases: [GetOptions['range'] & object, number, number][] = [
      [{ start: 0 }, 0, size],
      [{ start: 10, end: 20 }, 10, 20],
      [{ start: 255_990, end: 520_010 }, 255_990, 520_010],
      [{ start: size - 3 }, size - 3, size],
      [{ start: size - 3, end: size + 100 }, size - 3, size],
      [{ start: 7, end: 7 }, 7, 7],
      [{ start: size }, size, size],
      [{ suffix: 8 }, size - 8, size],
      [{ suffix: size + 1 }, 0, size],
      [{ suffix: 0 }, size, size],
    ]
    for (const [range, start, end] of cases) {
      const result = await store.get('key', { range })
      assert.deepEqual(result.range, { start, end }, JSON.stringify(range))
      assert.equal(result.meta.size, size)
      const body = Buffer.concat(await collect(result.body))
      assert.ok(body.equals(whole.subarray(start, end)), JSON.stringify(range))
    }
  })

  check('a range that is none is invalid-argument', async ({ store, seed }) => {
    await seed.put('key', pattern(10))
    for (const range of [
      { start: 11 },
      { start: 11, end: 12 },
      { start: 5, end: 4 },
      { start: -1 },
      { start: 0.5 },
      { start: 0, end: Number.NaN },
      { suffix: -1 },
    ]) {
      await rejectsWith(store.get('key', { range }), 'invalid-argument', 'key')
    }
    for (const range of [
      { start: 0, end: 11 },
      { start: 11, end: 11 },
      { start: 5, end: 4 },
      { start: -1, end: 1 },
      { start: 0, end: 1.5 },
    ]) {
      const allocate = () => assert.fail('memory was asked for')
      await rejectsWith(store.getRanges('key', [range], { allocate }), 'invalid-argument', 'key')
    }
  })

  check('an empty object has an empty body and only empty ranges', async ({ store, seed }) => {
    await seed.put('empty', new Uint8Array(0))
    assert.deepEqual(await readAll(store, 'empty'), new Uint8Array(0))
    assert.deepEqual(await readAll(store, 'empty', { range: { suffix: 5 } }), new Uint8Array(0))
    assert.deepEqual(await readAll(store, 'empty', { range: { start: 0 } }), new Uint8Array(0))
    assert.deepEqual(await store.getRanges('empty', [{ start: 0, end: 0 }]), [new Uint8Array(0)])
    await rejectsWith(store.getRanges('empty', [{ start: 0, end: 1 }]), 'invalid-argument')
  })

  check('getRanges gives views in the order asked', async ({ store, seed }) => {
    const whole = pattern(500_000)
    await seed.put('key', whole)
    const ranges = [
      { start: 400_000, end: 500_000 },
      { start: 0, end: 1 },
      { start: 250_000, end: 250_000 },
      { start: 1, end: 300_000 },
      { start: 200_000, end: 200_010 },
      { start: 0, end: 1 },
    ]
    const views = await store.getRanges('key', ranges)
    assert.equal(views.length, ranges.length)
    ranges.forEach(({ start, end }, i) => {
      assert.ok(Buffer.from(views[i]!).equals(whole.subarray(start, end)), `range ${i}`)
    })
    assert.deepEqual(await store.getRanges('key', []), [])
  })

  check('near ranges share one read, into the memory provided', async ({ store, seed }) => {
    const whole = pattern(10_000)
    await seed.put('key', whole)
    const ranges = [
      { start: 5_000, end: 5_100 },
      { start: 100, end: 200 },
      { start: 250, end: 300 },
    ]
    const reads = async (coalesceGap: number) => {
      const sizes: number[] = []
      const shared = new SharedArrayBuffer(20_000)
      let next = 1
      const allocate = (bytes: number) => {
        sizes.push(bytes)
        const view = new Uint8Array(shared, next, bytes)
        next += bytes
        return view
      }
      const views = await store.getRanges('key', ranges, { coalesceGap, allocate })
      ranges.forEach(({ start, end }, i) => {
        assert.equal(views[i]!.buffer, shared)
        assert.ok(Buffer.from(views[i]!).equals(whole.subarray(start, end)), `range ${i}`)
      })
      return sizes.sort((a, b) => a - b)
    }
    assert.deepEqual(await reads(0), [50, 100, 100])
    assert.deepEqual(await reads(49), [50, 100, 100])
    assert.deepEqual(await reads(50), [100, 200])
    assert.deepEqual(await reads(10_000), [5_000])
  })

  check('ifMatch pins a reader to a version', async ({ store, seed }) => {
    await seed.put('key', bytesOf('old'))
    const pinned = { ifMatch: (await store.head('key')).etag }
    await readAll(store, 'key', pinned)
    await store.getRanges('key', [{ start: 0, end: 1 }], pinned)
    await seed.put('key', bytesOf('new'))
    await rejectsWith(store.get('key', pinned), 'precondition', 'key')
    await rejectsWith(store.getRanges('key', [{ start: 0, end: 1 }], pinned), 'precondition', 'key')
    await seed.delete('key')
    await rejectsWith(store.get('key', pinned), pinnedMissing, 'key')
  })

  check('a reader sees one version, whole, or an error: never a mix', async ({ store, seed }) => {
    const size = 700_000
    await seed.put('key', new Uint8Array(size).fill(1))
    const { body, meta } = await store.get('key')
    const seen = new Set<number>()
    let length = 0
    try {
      for await (const bytes of body) {
        if (length === 0) await seed.put('key', new Uint8Array(size).fill(2))
        length += bytes.length
        for (const byte of bytes) seen.add(byte)
      }
      assert.equal(length, meta.size)
    } catch (error) {
      assert.ok(isSluiceError(error) && error.code === 'precondition', String(error))
    }
    assert.deepEqual([...seen], [1])
  })

  check(
    'while an object is replaced its readers find the old one or the new one',
    async ({ store, seed }) => {
      const versions = [1, 2, 3].map(seed => Buffer.from(pattern(5_000 * seed, seed)))
      await seed.put('key', versions[0]!)
      let writing = true
      const writer = async () => {
        for (let i = 0; i < 40; i++) await seed.put('key', versions[i % 3]!)
        writing = false
      }
      const reader = async () => {
        while (writing) {
          const bytes = await readAll(store, 'key')
          assert.ok(
            versions.some(version => version.equals(bytes)),
            `${bytes.length} bytes of no version`,
          )
          await new Promise(resolve => setImmediate(resolve))
        }
      }
      await Promise.all([writer(), reader(), reader()])
    },
  )

  check('each request of a read of ranges is made as it is told to', async ({ store, seed }) => {
    const whole = pattern(100_000)
    await seed.put('key', whole)
    let asked = 0
    let given = 0
    let requested = 0
    const ranges = [
      { start: 10, end: 30_000 },
      { start: 40_000, end: 99_000 },
    ]
    const views = await store.getRanges('key', ranges, {
      coalesceGap: 0,
      maxRequestBytes: 10_000,
      allocate: bytes => {
        given += bytes
        return new Uint8Array(bytes)
      },
      // Each is made twice, as after an answer that was lost.
      eachRequest: async ({ bytes }, run) => {
        asked++
        requested += bytes
        await run()
        return run()
      },
    })
    assert.ok(asked > 0)
    const total = ranges.reduce((sum, { start, end }) => sum + end - start, 0)
    assert.deepEqual([given, requested], [total, total], 'memory is asked for once')
    views.forEach((view, i) => {
      assert.ok(Buffer.from(view).equals(whole.subarray(ranges[i]!.start, ranges[i]!.end)))
    })
    for (const options of [{ coalesceGap: -1 }, { maxRequestBytes: 0 }]) {
      await rejectsWith(store.getRanges('key', ranges, options), 'invalid-argument', Object.keys(options)[0])
    }
  })

  check(
    'ranges are of one version, or an error, whatever happens between requests',
    async ({ store, seed }) => {
      const size = 100_000
      for (const failing of [false, true]) {
        await seed.put('key', new Uint8Array(size).fill(1))
        let replaced = false
        try {
          const [view] = await store.getRanges('key', [{ start: 0, end: size }], {
            maxRequestBytes: 30_000,
            eachRequest: async (_, run) => {
              const result = await run()
              if (!replaced) {
                replaced = true
                // Of another size: tags of some servers tell versions of one second apart by that alone.
                await seed.put('key', new Uint8Array(size + 1).fill(2))
                if (failing) return run()
              }
              return result
            },
          })
          const [first] = view!
          assert.ok(view!.every(byte => byte === first))
        } catch (error) {
          assert.ok(isSluiceError(error) && error.code === 'precondition', String(error))
        }
        assert.ok(replaced)
      }
    },
  )

  check('what is not there is not-found and the error names it', async ({ store, seed }) => {
    await seed.put('folder/object', bytesOf('x'))
    for (const key of ['missing', 'folder', 'folder/other', 'folder/object/below']) {
      await rejectsWith(store.head(key), 'not-found', key)
      await rejectsWith(store.get(key), 'not-found', key)
      await rejectsWith(store.getRanges(key, [{ start: 0, end: 1 }]), 'not-found', key)
    }
  })

  check('to read a key that is none is invalid-argument', async ({ store }) => {
    for (const key of NO_KEYS) {
      for (const at of [store, store.child('child')]) {
        await rejectsWith(at.head(key), 'invalid-argument')
        await rejectsWith(at.get(key), 'invalid-argument')
        await rejectsWith(at.getRanges(key, []), 'invalid-argument')
      }
      // As a folder the empty name is the store itself, and one slash at the end is welcome.
      if (key !== '' && key !== 'a/') assert.throws(() => store.child(key), { code: 'invalid-argument' })
    }
  })

  check('a child reads what lies below its prefix, by relative keys', async ({ store, seed }) => {
    await seed.put('a/b c/d', bytesOf('text'))
    const child = store.child('a').child('b c')
    assert.equal(child.root.store, store.root.store)
    assert.equal(child.root.prefix, `${store.root.prefix}a/b c/`)
    assert.equal((await child.head('d')).key, 'd')
    assert.equal((await child.get('d')).meta.key, 'd')
    assert.equal(await textOf(child, 'd'), 'text')
    assert.equal(Buffer.from((await child.getRanges('d', [{ start: 1, end: 3 }]))[0]!).toString(), 'ex')
  })

  check('a body may be left early', async ({ store, seed }) => {
    await seed.put('key', pattern(2_000_000))
    for (let i = 0; i < 5; i++) {
      for await (const _ of (await store.get('key')).body) break
      const iterator = (await store.get('key')).body[Symbol.asyncIterator]()
      await iterator.return?.()
      assert.equal((await iterator.next()).done, true)
    }
    await seed.delete('key')
  })
}
