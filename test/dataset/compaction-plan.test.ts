import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytesOf, filesAfter, groupFolders, planFolders } from '../../src/dataset/compaction-plan.ts'

const TARGET = 100
const objects = fc
  .array(fc.record({ folder: fc.constantFrom('', 'k=1/', 'k=1/j=2/', 'plain/'), size: fc.nat(150) }))
  .map(files =>
    files.map(({ folder, size }, i) => ({
      ...{ key: `${folder}${String(i).padStart(3, '0')}.parquet`, size },
      ...{ etag: '', lastModified: new Date(0) },
    })),
  )

test('only small files are merged, in their folder, in order, and where that makes them fewer', () => {
  fc.assert(
    fc.property(objects, files => {
      const plan = planFolders(files, TARGET, false)
      const chosen = new Set(plan.flatMap(folder => folder.files))
      for (const { path, files: own } of plan) {
        assert.ok(
          own.every(
            ({ key, size }) => key.startsWith(path) && !key.slice(path.length).includes('/') && size < 75,
          ),
        )
        assert.deepEqual(
          own,
          files.filter(file => own.includes(file)),
        )
        assert.ok(own.length >= 2 && filesAfter(own, TARGET) < own.length)
      }
      // What is left of a folder would not become fewer files.
      for (const folder of ['', 'k=1/', 'k=1/j=2/', 'plain/']) {
        const left = files.filter(
          file => /^(.*\/)?/.exec(file.key)![0] === folder && file.size < 75 && !chosen.has(file),
        )
        assert.ok(left.length < 2 || bytesOf(left) > TARGET * (left.length - 1))
      }
      assert.equal(planFolders(files, TARGET, true).flatMap(folder => folder.files).length, files.length)
    }),
  )
})

test('tasks have the files of all folders in order; a folder is in two only if it is too large for one', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 })), sizes => {
      const folders = sizes.map((own, folder) => own.map(size => ({ folder, size })))
      const tasks = groupFolders(folders, ({ size }) => size, TARGET)
      assert.deepEqual(tasks.flat(), folders.flat())
      assert.ok(tasks.every(files => files.length > 0 && bytesOf(files.slice(0, -1)) < TARGET))
      for (const [folder, files] of folders.entries()) {
        const parts = tasks.filter(task => task.some(file => file.folder === folder))
        assert.ok(parts.length === 1 || bytesOf(files) > TARGET, String(folder))
      }
    }),
  )
  const many = Array.from({ length: 1000 }, (_, folder) => [{ folder, size: 0 }])
  const tasks = groupFolders(many, ({ size }) => size, TARGET)
  assert.ok(tasks.every(files => files.length <= 256))
  assert.equal(tasks.length, 4)
})
