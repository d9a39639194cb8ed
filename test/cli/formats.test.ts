import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Field, Int64, type RecordBatch, Schema, Utf8, vectorFromArray } from 'apache-arrow'
import { csv } from '../../src/cli/formats/csv.ts'
import { jsonl } from '../../src/cli/formats/jsonl.ts'
import { none } from '../../src/cli/formats/none.ts'
import { table } from '../../src/cli/formats/table.ts'
import { makeBatch } from '../../src/core/batch.ts'

const schema = new Schema([new Field('n', new Int64(), true), new Field('a "b"', new Utf8(), true)])

function batch(rows: [bigint | null, string | null][]): RecordBatch {
  const columns = [
    vectorFromArray(
      rows.map(([n]) => n),
      new Int64(),
    ).data[0]!,
    vectorFromArray(
      rows.map(([, text]) => text),
      new Utf8(),
    ).data[0]!,
  ]
  return makeBatch(schema.fields, columns, rows.length)
}

async function* two(): AsyncGenerator<RecordBatch> {
  yield batch([
    [9007199254740993n, 'x,"y"\n'],
    [null, ''],
  ])
  yield batch([[-1n, null]])
}

async function* empty(): AsyncGenerator<RecordBatch> {}

async function text(chunks: AsyncIterable<string | Uint8Array>): Promise<string> {
  let all = ''
  for await (const chunk of chunks) all += chunk
  return all
}

test('jsonl', async () => {
  assert.equal(
    await text(jsonl(two())),
    [
      String.raw`{"n":9007199254740993,"a \"b\"":"x,\"y\"\n"}`,
      String.raw`{"n":null,"a \"b\"":""}`,
      String.raw`{"n":-1,"a \"b\"":null}`,
      '',
    ].join('\n'),
  )
  assert.equal(await text(jsonl(empty())), '')
})

test('csv tells null from the empty text', async () => {
  assert.equal(await text(csv(two(), schema)), 'n,"a ""b"""\n9007199254740993,"x,""y""\n"\n,""\n-1,\n')
  assert.equal(await text(csv(empty(), schema)), 'n,"a ""b"""\n')
})

test('table', async () => {
  assert.equal(
    await text(table(two(), schema)),
    [
      '               n  a "b"',
      '────────────────  ───────',
      String.raw`9007199254740993  x,"y"\n`,
      '               ∅',
      '              -1  ∅',
      '',
    ].join('\n'),
  )
  assert.equal(await text(table(empty(), schema)), 'n  a "b"\n─  ─────\n')
})

test('none reads to the end', async () => {
  let read = 0
  const counted = async function* () {
    for await (const each of two()) {
      read++
      yield each
    }
  }
  assert.equal(await text(none(counted())), '')
  assert.equal(read, 2)
})

test('a large batch comes in pieces, and what reads only the first stops the source', async () => {
  let closed = false
  const source = async function* () {
    try {
      yield batch(Array.from({ length: 20_000 }, (_, i) => [BigInt(i), 'some text']))
      throw new Error('read too far')
    } finally {
      closed = true
    }
  }
  for await (const chunk of jsonl(source())) {
    assert.ok(chunk.length < 70_000)
    break
  }
  assert.ok(closed)
})
