import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isSluiceError } from '../../src/core/errors.ts'
import {
  isDataFile,
  isHidden,
  NULL_PARTITION,
  parsePartitionPath,
  partitionOf,
  partitionPath,
} from '../../src/dataset/hive.ts'

const keysOf = (key: string) => parsePartitionPath(key).keys

test('a path gives its keys, outermost first, and its file', () => {
  assert.deepEqual(parsePartitionPath('part=a/date=2012-01-01/test.parquet'), {
    keys: [
      ['part', 'a'],
      ['date', '2012-01-01'],
    ],
    file: 'test.parquet',
  })
  assert.deepEqual(parsePartitionPath('test.parquet'), { keys: [], file: 'test.parquet' })
})

test('folders without "=" and "=" in the file name say nothing', () => {
  assert.deepEqual(keysOf('folder1/date=2012-01-01/test.parquet'), [['date', '2012-01-01']])
  assert.deepEqual(keysOf('a=1/k=2.parquet'), [['a', '1']])
})

test('the first "=" ends the name, and a name may be empty', () => {
  assert.deepEqual(keysOf('a=b=c/f.parquet'), [['a', 'b=c']])
  assert.deepEqual(keysOf('=x/f.parquet'), [['', 'x']])
})

test('of a name that occurs twice the outer folder counts', () => {
  assert.deepEqual(keysOf('x=1/x=2/test.parquet'), [['x', '1']])
  assert.deepEqual(keysOf('x=2/x=1/test.parquet'), [['x', '2']])
})

test('null is a name of its own; empty text and NULL are text', () => {
  assert.deepEqual(keysOf(`key=${NULL_PARTITION}/f.parquet`), [['key', null]])
  assert.deepEqual(keysOf('key=/part-0.parquet'), [['key', '']])
  assert.deepEqual(keysOf('key=NULL/part.parquet'), [['key', 'NULL']])
})

test('percent-encoding is UTF-8; what is no escape stays', () => {
  assert.deepEqual(keysOf('a%20b=x%2Fy%3D%25%3A%22/f.parquet'), [['a b', 'x/y=%:"']])
  assert.deepEqual(keysOf('k=%C3%A9é%F0%9F%98%80/f.parquet'), [['k', 'éé😀']])
  assert.deepEqual(keysOf('k=%zz%/f.parquet'), [['k', '%zz%']])
  assert.deepEqual(keysOf('k=%EF%BB%BFx/f.parquet'), [['k', '\ufeffx']])
  assert.deepEqual(keysOf('k=a+b/f.parquet'), [['k', 'a+b']])
})

test('an escape that is not UTF-8 is an error that names the file', () => {
  assert.throws(
    () => parsePartitionPath('k=%C3/f.parquet'),
    error => isSluiceError(error) && error.code === 'corrupt' && error.file === 'k=%C3/f.parquet',
  )
})

test('a name of any object is a column like others', () => {
  assert.deepEqual(keysOf('__proto__=1/constructor=2/f.parquet'), [
    ['__proto__', '1'],
    ['constructor', '2'],
  ])
})

test('values are encoded as DuckDB and PyArrow do, but for what is beyond ASCII', () => {
  const encoded = (value: string) => partitionPath(['k'], [value])
  assert.equal(encoded('a b/c=d%e:f"g'), 'k=a%20b%2Fc%3Dd%25e%3Af%22g/')
  assert.equal(encoded('é😀-_.~'), 'k=é😀-_.~/')
  assert.equal(
    encoded("\x01\x7f'*?[]{}^\\<>|#&+`;,@$!()"),
    'k=%01%7F%27%2A%3F%5B%5D%7B%7D%5E%5C%3C%3E%7C%23%26%2B%60%3B%2C%40%24%21%28%29/',
  )
  assert.equal(encoded('a.'), 'k=a%2E/')
  assert.equal(encoded('NULL'), 'k=%4EULL/')
  assert.equal(encoded('nulls'), 'k=nulls/')
  assert.equal(encoded(''), 'k=/')
  assert.equal(partitionPath(['a', 'b'], [null, '1']), `a=${NULL_PARTITION}/b=1/`)
  assert.equal(partitionPath([], []), '')
})

test('names are left as they are where a folder can have them', () => {
  assert.equal(partitionPath(['é b'], ['1']), 'é b=1/')
  assert.equal(partitionPath(['a=b/c%'], ['1']), 'a%3Db%2Fc%25=1/')
})

test('what some engine would not read back is refused', () => {
  for (const [name, value] of [
    ['_x', '1'],
    ['.x', '1'],
    ['', '1'],
    ['k', NULL_PARTITION],
    ['k', '\ud800'],
    ['\udc00', '1'],
  ] as const) {
    assert.throws(
      () => partitionPath([name], [value]),
      error => isSluiceError(error) && error.code === 'invalid-argument' && error.column === name,
    )
  }
})

test('every name and value comes back', () => {
  const names = fc.string({ unit: 'grapheme', minLength: 1 }).filter(name => !/^[_.]/.test(name))
  const values = fc.option(fc.string({ unit: 'binary' }).filter(value => value !== NULL_PARTITION))
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(names, values), { selector: ([name]) => name }), keys => {
      const path = partitionPath(
        keys.map(([name]) => name),
        keys.map(([, value]) => value),
      )
      assert.deepEqual(parsePartitionPath(`${path}f.parquet`), { keys, file: 'f.parquet' })
      assert.equal(partitionOf(`${path}f.parquet`), path)
      assert.ok(isDataFile(`${path}f.parquet`))
      assert.match(path, /^(?:[^/]+=[^/]*\/)*$/)
    }),
  )
})

test('spellings of one partition are one partition', () => {
  assert.equal(partitionOf('k=a b/x.parquet'), partitionOf('k=a%20b/y.parquet'))
  assert.equal(partitionOf('k=%c3%a9/x.parquet'), partitionOf('k=é/y.parquet'))
  assert.notEqual(partitionOf('k=/x.parquet'), partitionOf(`k=${NULL_PARTITION}/x.parquet`))
})

test('hidden names are not data, but a key may begin with "_"', () => {
  for (const key of [
    '_x.parquet',
    '.x.parquet',
    '_tmp/x.parquet',
    'a=1/.tmp/x.parquet',
    '.a=1/x.parquet',
    '_a=1.parquet',
  ]) {
    assert.ok(isHidden(key), key)
  }
  assert.ok(isDataFile('_a=1/x.parquet'))
  assert.ok(isDataFile('a=1/x.PARQUET'))
  assert.ok(!isDataFile('a=1/x.csv'))
  assert.ok(!isDataFile('_SUCCESS'))
})
