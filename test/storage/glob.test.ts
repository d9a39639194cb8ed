import assert from 'node:assert/strict'
import { test } from 'node:test'
import { globPrefix, globToRegExp, hasGlob } from '../../src/storage/glob.ts'

test('a glob matches whole keys', () => {
  const cases: [string, string[], string[]][] = [
    ['*.parquet', ['a.parquet', '.parquet'], ['a/b.parquet', 'a.parquet.tmp', 'aparquet']],
    ['a/*/c', ['a/b/c', 'a/=%20/c'], ['a/c', 'a/b/b/c']],
    ['a/**/c', ['a/c', 'a/b/c', 'a/b/b/c'], ['ac', 'a/bc', 'xa/c']],
    ['**/c', ['c', 'a/c', 'a/b/c'], ['ac', 'a/c/d']],
    ['a/**', ['a/b', 'a/b/c'], ['a', 'ab']],
    ['**', ['a', 'a/b'], []],
    ['a?c', ['abc', 'a😀c', 'aéc'], ['ac', 'a/c', 'abbc']],
    ['[a-c][!0-9]', ['aa', 'cz'], ['dz', 'a0', 'a/', 'a']],
    ['[]a]x', [']x', 'ax'], ['bx']],
    ['[^a]', ['b', '^'], ['a']],
    ['[.]', ['.'], ['a']],
    ['dt=2024-0{1,2}/*', ['dt=2024-01/x', 'dt=2024-02/x'], ['dt=2024-03/x']],
    ['{a,b{c,d}*}/x', ['a/x', 'bc/x', 'bdd/x'], ['b/x', 'a,b/x']],
    ['{**/,}x', ['x', 'a/b/x'], ['ax']],
    ['a,b}', ['a,b}'], ['a']],
    [String.raw`\*\[\{\\`, ['*[{\\'], ['a[{\\']],
    ['a.b+c(d)|e^$', ['a.b+c(d)|e^$'], ['axb+c(d)|e^$', 'e^$']],
    ['line*', ['line\nbreak'], []],
  ]
  for (const [glob, yes, no] of cases) {
    const pattern = globToRegExp(glob)
    for (const key of yes) assert.match(key, pattern, glob)
    for (const key of no) assert.doesNotMatch(key, pattern, glob)
    for (const key of yes) assert.ok(key.startsWith(globPrefix(glob)), `${glob}: ${key}`)
  }
})

test('the prefix to list is as long as it can be', () => {
  assert.equal(globPrefix('a/dt=2024-*/x'), 'a/dt=2024-')
  assert.equal(globPrefix('a/b{c,d}'), 'a/b')
  assert.equal(globPrefix('plain/key'), 'plain/key')
  assert.equal(globPrefix(String.raw`a\*b?`), 'a*b')
  assert.equal(globPrefix('**/x'), '')
})

test('a plain key is no glob', () => {
  for (const key of ['a/b', 'k=v%20', 'a}b]c,d']) assert.equal(hasGlob(key), false)
  for (const glob of ['*', 'a?', '[a]', '{a,b}', '\\*']) assert.equal(hasGlob(glob), true)
})

test('a malformed glob is told', () => {
  for (const glob of ['a[b', '[]', 'a{b', '[z-a]']) {
    assert.throws(() => globToRegExp(glob), { code: 'invalid-argument', option: 'glob' }, glob)
  }
})
