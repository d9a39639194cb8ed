import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareKeys, folderPrefix, joinUrl, validateKey } from '../../src/storage/keys.ts'

test('keys compare by their UTF-8 bytes', () => {
  const text = fc.string({ unit: 'binary' })
  fc.assert(
    fc.property(text, text, text, (shared, a, b) => {
      const [x, y] = [shared + a, shared + b]
      assert.equal(Math.sign(compareKeys(x, y)), Buffer.compare(Buffer.from(x), Buffer.from(y)))
    }),
    { numRuns: 2000 },
  )
  assert.ok(compareKeys('\uffff', '😀') < 0 && '\uffff' > '😀', "where JavaScript's order is another")
  assert.ok(compareKeys('\ud7ff', '😀') < 0)
  assert.ok(compareKeys('😀', '😁') < 0)
})

test('a key error says what is wrong with it', () => {
  const faults: [string, RegExp][] = [
    ['', /is empty/],
    ['/etc', /is absolute/],
    ['a/', /ends in '\/'/],
    ['a//b', /empty segment/],
    ['a/../b', /segment '\.\.'/],
    ['./b', /segment '\.'/],
    ['a\0', /NUL/],
    ['\udc00', /surrogate/],
  ]
  for (const [key, message] of faults) {
    assert.throws(() => validateKey(key), { code: 'invalid-argument', option: 'key', message })
  }
  for (const key of ['a', '...', '..a/b..', 'a/.b', '%2e%2e/x', 'a\\..\\b', '😀'])
    assert.equal(validateKey(key), key)
})

test('a folder is a prefix that ends in one slash', () => {
  assert.equal(folderPrefix(''), '')
  assert.equal(folderPrefix('a/b'), 'a/b/')
  assert.equal(folderPrefix('a/b/'), 'a/b/')
  for (const folder of ['/', 'a//', '../a']) assert.throws(() => folderPrefix(folder), { option: 'prefix' })
})

test('a URL of a key is percent-encoded', () => {
  assert.equal(joinUrl('file:///lake', 'a b/k=%2F?#'), 'file:///lake/a%20b/k%3D%252F%3F%23')
  assert.equal(joinUrl('file:///', 'a'), 'file:///a')
  assert.equal(joinUrl('memory:', 'a'), 'memory:/a')
})
