import assert from 'node:assert/strict'
import { readAll } from '../../storage/read.ts'
import {
  assertEmpty,
  bytesOf,
  type Check,
  type ConformanceOptions,
  collect,
  keysOf,
  pattern,
  posted,
  rejectsWith,
  sameObject,
  stageText,
  textOf,
} from './context.ts'

/** Staged uploads. */
export function checkStaging(check: Check, { completesOnce = true }: ConformanceOptions): void {
  check('a staged upload is seen by nobody until it is completed', async ({ store, reopen }) => {
    const whole = pattern(500_000)
    const writer = await store.stage('a/b/key')
    const piece = new Uint8Array(99_999)
    for (let start = 0; start < whole.length; start += piece.length) {
      const part = whole.subarray(start, start + piece.length)
      piece.set(part)
      await writer.write(piece.subarray(0, part.length))
      piece.fill(0)
    }
    const unseen = async () => {
      for (const at of [store, await reopen()]) {
        assert.deepEqual(await keysOf(at), [])
        assert.deepEqual(await at.listLevel(), { objects: [], prefixes: [] })
        await rejectsWith(at.head('a/b/key'), 'not-found')
      }
    }
    await unseen()
    const upload = posted(await writer.seal())
    await unseen()
    assert.equal(upload.key, 'a/b/key')
    assert.equal(upload.size, whole.length)
    const meta = await store.completeStaged(upload)
    assert.equal(meta.key, 'a/b/key')
    assert.equal(meta.size, whole.length)
    sameObject(await store.head('a/b/key'), meta)
    assert.deepEqual(await readAll(store, 'a/b/key'), whole)
    assert.deepEqual(await collect(store.listStaged('')), [])
  })

  check('another process completes it', async ({ store, reopen }) => {
    const upload = await stageText(store, 'key', 'staged')
    await (await reopen()).completeStaged(upload)
    assert.equal(await textOf(store, 'key'), 'staged')
  })

  check('it replaces what is there', async ({ store }) => {
    await store.put('key', bytesOf('old'))
    await store.completeStaged(await stageText(store, 'key', 'new'))
    assert.equal(await textOf(store, 'key'), 'new')
  })

  check('completing again succeeds, at once or later, here or elsewhere', async ({ store, reopen }) => {
    const upload = await stageText(store, 'a/key', 'staged')
    const other = await reopen()
    const first = await store.completeStaged(upload)
    sameObject(await store.completeStaged(upload), first)
    sameObject(await other.completeStaged(upload), first)
    const more = await stageText(store, 'a/more', 'staged')
    const race = await Promise.all(
      Array.from({ length: 8 }, (_, i) => [store, other][i % 2]!.completeStaged(more)),
    )
    for (const meta of race) {
      if (completesOnce) sameObject(meta, race[0]!)
      else assert.equal(meta.size, race[0]!.size)
    }
    assert.equal(await textOf(store, 'a/more'), 'staged')
    assert.deepEqual(await keysOf(store), ['a/key', 'a/more'])
  })

  check(
    'completing what was since replaced or deleted is not-found and changes nothing',
    async ({ store }) => {
      const upload = await stageText(store, 'key', 'staged')
      await store.completeStaged(upload)
      await store.put('key', bytesOf('newer!'))
      await rejectsWith(store.completeStaged(upload), 'not-found', 'key')
      assert.equal(await textOf(store, 'key'), 'newer!')
      await store.delete('key')
      await rejectsWith(store.completeStaged(upload), 'not-found', 'key')
      await assertEmpty(store)
    },
  )

  check('what a checkpoint has is gone on with, here or elsewhere', async ({ store, reopen }) => {
    if (!store.capabilities.resume) return
    const whole = pattern(20_000_000)
    const writer = await store.stage('a/key', { contentType: 'text/plain' })
    for (let start = 0; start < 18_000_000; start += 3_000_000) {
      await writer.write(whole.subarray(start, start + 3_000_000))
    }
    const checkpoint = posted(await writer.checkpoint())
    assert.equal(checkpoint.key, 'a/key')
    assert.ok(checkpoint.size > 0 && checkpoint.size <= 18_000_000, `${checkpoint.size} bytes are safe`)
    await rejectsWith(store.completeStaged(checkpoint), 'invalid-argument', 'a/key')
    // Whatever comes behind the checkpoint is not of the upload.
    await writer.write(new Uint8Array(500_000))
    const resumed = await (await reopen()).resumeStaged(checkpoint)
    await resumed.write(whole.subarray(checkpoint.size, 19_000_000))
    const later = posted(await resumed.checkpoint())
    assert.ok(later.size >= checkpoint.size)
    const last = await (await reopen()).child('a').resumeStaged({ ...later, key: 'key' })
    await last.write(whole.subarray(later.size))
    const upload = posted(await last.seal())
    assert.deepEqual([upload.key, upload.size], ['key', whole.length])
    assert.deepEqual(await keysOf(store), [])
    await store.child('a').completeStaged(upload)
    assert.ok(Buffer.compare(await readAll(store, 'a/key'), whole) === 0, 'the same bytes')
    if (store.capabilities.attributes) {
      assert.equal((await store.head('a/key')).contentType, 'text/plain')
    }
    await rejectsWith(store.resumeStaged(later), 'not-found', 'key')
    assert.deepEqual(await collect(store.listStaged('')), [])
  })

  check('an upload whose checkpoint is aborted is gone', async ({ store, reopen }) => {
    if (!store.capabilities.resume) return
    const writer = await store.stage('key')
    const empty = posted(await writer.checkpoint())
    assert.equal(empty.size, 0)
    const resumed = await (await reopen()).resumeStaged(empty)
    await resumed.write(bytesOf('x'))
    await (await reopen()).abortStaged(empty)
    await rejectsWith(store.resumeStaged(empty), 'not-found', 'key')
    await resumed.abort()
    await rejectsWith(store.resumeStaged({ ...empty, token: { id: 7 } }), 'invalid-argument')
    await assertEmpty(store)
  })

  check('several uploads of one key are apart', async ({ store }) => {
    const [first, second] = [await stageText(store, 'key', 'first'), await stageText(store, 'key', 'second')]
    await store.completeStaged(second)
    await store.completeStaged(first)
    assert.equal(await textOf(store, 'key'), 'first')
    await rejectsWith(store.completeStaged(second), 'not-found')
  })

  check('aborting removes it; again, or after completion, it does nothing', async ({ store, reopen }) => {
    const aborted = await stageText(store, 'aborted', 'x')
    await (await reopen()).abortStaged(aborted)
    await store.abortStaged(aborted)
    await rejectsWith(store.completeStaged(aborted), 'not-found', 'aborted')
    const completed = await stageText(store, 'completed', 'stays')
    await store.completeStaged(completed)
    await store.abortStaged(completed)
    sameObject(await store.completeStaged(completed), await store.head('completed'))
    assert.equal(await textOf(store, 'completed'), 'stays')
    await store.delete('completed')
    await assertEmpty(store)
  })

  check('a writer that is aborted leaves nothing, before or after it is sealed', async ({ store }) => {
    for (const seal of [false, true]) {
      const writer = await store.stage('a/key')
      await writer.write(bytesOf('x'))
      const upload = seal ? posted(await writer.seal()) : undefined
      await writer.abort()
      await writer.abort()
      await rejectsWith(writer.write(bytesOf('y')), 'invalid-argument', 'key')
      if (upload !== undefined) await rejectsWith(store.completeStaged(upload), 'not-found')
      await assertEmpty(store)
    }
    const unwritten = await store.stage('key')
    await unwritten.abort()
    await rejectsWith(unwritten.seal(), 'invalid-argument', 'key')
    await assertEmpty(store)
  })

  check('a writer that is aborted after completion does not touch the object', async ({ store }) => {
    const writer = await store.stage('key')
    await writer.write(bytesOf('stays'))
    const upload = await writer.seal()
    assert.deepEqual(await writer.seal(), upload)
    await rejectsWith(writer.write(bytesOf('more')), 'invalid-argument', 'key')
    await store.completeStaged(upload)
    await writer.abort()
    assert.equal(await textOf(store, 'key'), 'stays')
  })

  check('an upload of nothing is an empty object', async ({ store }) => {
    const writer = await store.stage('empty')
    assert.equal((await store.completeStaged(await writer.seal())).size, 0)
    assert.equal((await store.head('empty')).size, 0)
  })

  check('listStaged has what is neither completed nor aborted, sealed or not', async ({ store, reopen }) => {
    const long = `${'folder with %2F in it/'.repeat(30)}key.`
    const keys = ['a/sealed', 'a/open', 'ab', long]
    const uploads = []
    for (const key of keys) {
      const writer = await store.stage(key)
      await writer.write(bytesOf(key))
      if (key !== 'a/open') uploads.push(posted(await writer.seal()))
    }
    const listed = async (prefix: string) => {
      const staged = await collect((await reopen()).listStaged(prefix))
      for (const { started } of staged) assert.ok(Math.abs(started.getTime() - Date.now()) < 600_000)
      return staged.map(({ upload }) => upload.key).sort()
    }
    assert.deepEqual(await listed(''), [...keys].sort())
    assert.deepEqual(await listed('a/'), ['a/open', 'a/sealed'])
    assert.deepEqual(await listed('nothing'), [])
    await store.completeStaged(uploads[0]!)
    await store.abortStaged(uploads[1]!)
    assert.deepEqual(await listed(''), ['a/open', long])
    await store.completeStaged(uploads[2]!)
    assert.equal(await textOf(store, long), long)
    // What another process lists it can abort.
    for (const { upload } of await collect(store.listStaged('')))
      await (await reopen()).abortStaged(posted(upload))
    assert.deepEqual(await listed(''), [])
    assert.deepEqual(await keysOf(store), ['a/sealed', long])
  })

  check('a child stages at its own keys', async ({ store, reopen }) => {
    const upload = await stageText(store.child('a/b'), 'key', 'staged')
    assert.equal(upload.key, 'key')
    const there = (await reopen()).child('a').child('b')
    assert.deepEqual(
      (await collect(there.listStaged(''))).map(({ upload }) => upload.key),
      ['key'],
    )
    assert.deepEqual(
      (await collect(store.listStaged('a/'))).map(({ upload }) => upload.key),
      ['a/b/key'],
    )
    assert.deepEqual(await collect(store.child('other').listStaged('')), [])
    assert.equal((await there.completeStaged(upload)).key, 'key')
    assert.equal(await textOf(store, 'a/b/key'), 'staged')
    await there.abortStaged(await stageText(store.child('a/b'), 'other', 'x'))
    assert.deepEqual(await collect(store.listStaged('')), [])
    // Elsewhere the same coordinates are those of nothing.
    await rejectsWith(store.completeStaged(await stageText(store.child('c'), 'key', 'x')), 'not-found')
  })

  check('coordinates that are none are invalid-argument', async ({ store }) => {
    for (const id of ['../../key', '', 7, null, undefined]) {
      const upload = { key: 'key', size: 1, token: { id, etag: 'x' } }
      await assert.rejects(store.completeStaged(upload), { name: 'SluiceError' })
      if (typeof id !== 'string') await rejectsWith(store.abortStaged(upload), 'invalid-argument')
    }
    const writer = await store.stage('key')
    const [open] = await collect(store.listStaged(''))
    await rejectsWith(store.completeStaged(posted(open!.upload)), 'invalid-argument', 'key')
    await writer.abort()
  })

  check('hundreds of uploads side by side', async ({ store }) => {
    const uploads = await Promise.all(
      Array.from({ length: 400 }, (_, i) => stageText(store, `p=${i % 100}/${i}`, `${i}`)),
    )
    assert.equal((await collect(store.listStaged(''))).length, 400)
    await Promise.all(uploads.map(upload => store.completeStaged(upload)))
    assert.equal((await keysOf(store)).length, 400)
    assert.equal(await textOf(store, 'p=42/142'), '142')
    assert.deepEqual(await collect(store.listStaged('')), [])
  })
}
