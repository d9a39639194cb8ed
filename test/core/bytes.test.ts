import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatBytes, parseBytes } from '../../src/core/bytes.ts'

test('sizes are read', () => {
  const sizes: [number | string, number][] = [
    [0, 0],
    [1024, 1024],
    ['77', 77],
    ['5B', 5],
    ['128MB', 128_000_000],
    ['512MiB', 536_870_912],
    ['512 mib', 536_870_912],
    ['1.5GiB', 1_610_612_736],
    ['0.3KB', 300],
    ['2TiB', 2 ** 41],
  ]
  for (const [text, bytes] of sizes) assert.equal(parseBytes(text, 'memory'), bytes, String(text))
})

test('what is no size is refused by name', () => {
  for (const text of [
    '',
    'MiB',
    '12 parsecs',
    '-1',
    '1e3',
    '1,5GB',
    '9999999TiB',
    -1,
    Number.NaN,
    Infinity,
  ]) {
    assert.throws(
      () => parseBytes(text, 'memory'),
      {
        code: 'invalid-argument',
        option: 'memory',
        message: /option 'memory': '.*' is not a number of bytes. /,
      },
      String(text),
    )
  }
})

test('sizes are written', () => {
  const sizes: [number, string][] = [
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [2 ** 20 - 1, '1 MiB'],
    [536_870_912, '512 MiB'],
    [2 ** 50 * 2048, '2048 PiB'],
  ]
  for (const [bytes, text] of sizes) assert.equal(formatBytes(bytes), text)
})
