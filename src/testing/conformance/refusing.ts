import assert from 'node:assert/strict'
import { bytesOf, type Check, collect, rejectsWith, streamOf, textOf } from './context.ts'

/** What a store that is read-only refuses, and says beforehand that it does. */
export function checkReadOnly(check: Check): void {
  check('whatever would change something is unsupported', async ({ store, seed }) => {
    await seed.put('key', bytesOf('old'))
    const { write, putCreate, putIfMatch, stage, resume } = store.capabilities
    assert.deepEqual({ write, putCreate, putIfMatch, stage, resume }, NOTHING)
    for (const at of [store, store.child('child')]) {
      const upload = { key: 'key', size: 0, token: {} }
      await rejectsWith(at.put('key', bytesOf('new')), 'unsupported', 'key')
      await rejectsWith(at.put('key', streamOf(bytesOf('new'))), 'unsupported', 'key')
      await rejectsWith(at.put('key', bytesOf('new'), { mode: 'create' }), 'unsupported', 'key')
      await rejectsWith(at.delete('key'), 'unsupported', 'key')
      await rejectsWith(at.copy('key', 'copy'), 'unsupported', 'copy')
      await rejectsWith(at.stage('key'), 'unsupported', 'key')
      await rejectsWith(at.resumeStaged(upload), 'unsupported', 'key')
      await rejectsWith(at.completeStaged(upload), 'unsupported', 'key')
      await rejectsWith(at.abortStaged(upload), 'unsupported', 'key')
      await rejectsWith(collect(at.listStaged('')), 'unsupported')
      const failures = await at.deleteMany(['key', 'other'])
      assert.deepEqual([...failures.keys()].sort(), ['key', 'other'])
      for (const { code } of failures.values()) assert.equal(code, 'unsupported')
    }
    assert.equal(await textOf(store, 'key'), 'old')
  })
}

const NOTHING = { write: false, putCreate: false, putIfMatch: false, stage: false, resume: false }

/** What a store that does not list refuses. */
export function checkUnlisted(check: Check): void {
  check('to list is unsupported', async ({ store }) => {
    assert.equal(store.capabilities.list, false)
    for (const at of [store, store.child('child')]) {
      await rejectsWith(collect(at.list()), 'unsupported')
      await rejectsWith(at.listLevel(), 'unsupported')
    }
  })
}
